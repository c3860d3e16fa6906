"""Sees the held-out subject, once, after everything is fixed."""
