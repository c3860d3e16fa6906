"""Brings every frame onto the same face geometry."""
