"""Numba, and nothing but loops over arrays."""
