"""Brings every clip to the same number of frames."""
