"""Environments and the experience collected in them."""
