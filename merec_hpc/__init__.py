"""Turns labelled face clips into a subject-independent recogniser of micro-expressions."""

from importlib.metadata import version

__version__ = version("merec_hpc")
