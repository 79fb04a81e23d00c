"""Trained policies: found, played, shared."""
