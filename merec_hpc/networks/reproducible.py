"""Lets torch give the same bytes in every run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import deterministic


@contextmanager
def reproducible() -> Iterator[None]:
    """Let torch give the same bytes in every run, on one thread; afterwards it is as it was.

    What it sets holds for the whole process: threads begin and end inside. A variable that cuBLAS
    reads once stays in the environment.
    """
    n_threads = torch.get_num_threads()
    mode = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn
    benchmark, allow_tf32 = cudnn.benchmark, cudnn.allow_tf32
    torch_memory: Any = deterministic  # the module gives way to an object when it is imported
    filled = torch_memory.fill_uninitialized_memory
    torch.set_num_threads(1)
    # Without these, results on CUDA may change from run to run. cuBLAS reads the variable when it
    # is used first.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    cudnn.benchmark = False
    # Memory of results is filled before them, which nobody reads.
    torch_memory.fill_uninitialized_memory = False
    # Ten bits of each factor are less than float32 says.
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32 = benchmark, allow_tf32
        torch_memory.fill_uninitialized_memory = filled
        torch.use_deterministic_algorithms(mode, warn_only=warn_only)
        torch.set_num_threads(n_threads)


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Let random numbers of the CPU and of one GPU follow from a seed; afterwards they go on as before."""
    cuda = [] if device is None or device.type != "cuda" else [device.index or 0]
    with torch.random.fork_rng(devices=cuda):
        # Not torch.manual_seed, which seeds every GPU there is.
        torch.default_generator.manual_seed(seed)
        for place in cuda:
            torch.cuda.default_generators[place].manual_seed(seed)
        yield


@contextmanager
def ordinary(device: torch.device) -> Iterator[None]:
    """Let torch work in float32 and follow gradients, whatever the caller's contexts say."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with (
            torch.inference_mode(mode=False),
            torch.enable_grad(),
            torch.autocast(device.type, enabled=False),
        ):
            yield
    finally:
        torch.set_default_dtype(dtype)
