"""Turns ``config.yaml`` into typed, frozen settings, one module a section.

What changes results stands here; what only changes speed (ranks, threads, memory)
belongs to the rules and to ``slurm/``. Every key is explained in ``config.yaml``.
"""
