"""Fitting models of a joint's drive to measurements."""
