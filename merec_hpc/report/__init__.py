"""Turns predictions and selections into tables, figures and one page."""
