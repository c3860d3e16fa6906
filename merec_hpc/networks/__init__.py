"""Architectures and weights."""
