"""Gaits: their clocks, their names, what asks for one, and what a robot was seen to do."""
