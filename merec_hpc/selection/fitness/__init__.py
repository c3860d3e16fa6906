"""Scores masks on inner folds of the training clips."""
