"""Frames of a simulation."""
