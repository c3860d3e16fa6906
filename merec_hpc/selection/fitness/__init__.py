"""Scores masks on inner folds of the training clips."""

from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

__all__ = ["SubjectFoldFitness"]
