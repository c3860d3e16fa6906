"""Keeps the numerical libraries of a process to one thread each.

Processes and our own threads are what runs in parallel; the order in which a library's
threads add up must not reach a result.
"""

import threadpoolctl


def limit_library_threads() -> None:
    """Let BLAS and OpenMP use one thread in this process, from now on."""
    threadpoolctl.threadpool_limits(1)
