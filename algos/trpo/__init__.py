"""Trust-region policy optimisation."""
