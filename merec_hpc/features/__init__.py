"""Turns clips into deep features."""
