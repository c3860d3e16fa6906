"""Turns the training clips of one fold into a mask over features."""
