"""Turns stacks of frames into batches of one size, whatever stacks they are of, and back."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Stack = NDArray[np.float32]  # (n_frames, h, w, 3)
Outputs = list[NDArray[np.float32]]  # (n_frames, channels, h, w), one a layer
Forward = Callable[[Stack], Outputs]


def batched_outputs(
    stacks: Iterable[Stack], forward: Forward, batch_size: int, n_threads: int
) -> Iterator[Outputs]:
    """Yield what a network gives for each stack, in order; frames pass in batches across stacks.

    Every batch is full: the last one is filled with copies of its last frame. What a network gives
    for a frame may depend on how many there are in a batch, since kernels are chosen by that; it
    does not depend on which others there are. So the features of a clip are the same bytes
    whatever clips come before it, and for any number of threads.

    Parameters
    ----------
    stacks
        Read one after the other while the network works: as far ahead as one batch a thread and
        one more, so that memory does not grow with their number. Of one height and width, else
        a batch ends where they change. None is empty.
    forward
        Passes a batch; called by several threads, each with one torch thread.
    batch_size
        Frames of each batch.
    n_threads
        Batches to work on at the same time.
    """
    # One torch thread in each worker: more would share sums among them, and change bits.
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from _in_order(stacks, _Cutter(pool, forward, batch_size, n_threads + 1))
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(stacks: Iterable[Stack], cutter: "_Cutter") -> Iterator[Outputs]:
    waiting: deque[list[_Part]] = deque()
    for stack in stacks:
        waiting.append(cutter.cut(stack))
        while waiting and all(part.batch.is_done for part in waiting[0]):
            yield _outputs(waiting.popleft())
    cutter.end_batch()
    while waiting:
        yield _outputs(waiting.popleft())


class _Batch:
    """Frames that pass together."""

    def __init__(self) -> None:
        self.pieces: list[Stack] = []
        self.n_frames = 0
        self.passed: Future[Outputs] | None = None

    @property
    def is_done(self) -> bool:
        return self.passed is not None and self.passed.done()

    def outputs(self) -> Outputs:
        """Return what the network gives for it; waits for that."""
        if self.passed is None:
            msg = "a batch that is on its way expected, found one that is not full"
            raise RuntimeError(msg)
        return self.passed.result()


@dataclass(frozen=True)
class _Part:
    """Some frames of a stack, and where they are in a batch."""

    batch: _Batch
    rows: slice


class _Cutter:
    """Cuts stacks into batches, and has them passed."""

    def __init__(
        self, pool: ThreadPoolExecutor, forward: Forward, batch_size: int, most_in_flight: int
    ) -> None:
        self._pool = pool
        self._forward = forward
        self._batch_size = batch_size
        self._most_in_flight = most_in_flight
        self._in_flight: deque[Future[Outputs]] = deque()
        self._batch = _Batch()

    def cut(self, stack: Stack) -> list[_Part]:
        """Return where the frames of a stack are; batches that are full are on their way."""
        if self._batch.pieces and self._batch.pieces[0].shape[1:] != stack.shape[1:]:
            self.end_batch()
        parts = []
        start = 0
        while start < len(stack):
            batch = self._batch
            taken = stack[start : start + self._batch_size - batch.n_frames]
            batch.pieces.append(taken)
            parts.append(_Part(batch, slice(batch.n_frames, batch.n_frames + len(taken))))
            batch.n_frames += len(taken)
            start += len(taken)
            if batch.n_frames == self._batch_size:
                self.end_batch()
        return parts

    def end_batch(self) -> None:
        """Have the frames passed that are waiting for others, if there are some."""
        batch, self._batch = self._batch, _Batch()
        if not batch.pieces:
            return
        n_missing = self._batch_size - batch.n_frames
        filling = np.repeat(batch.pieces[-1][-1:], n_missing, axis=0)
        frames = np.concatenate([*batch.pieces, filling])
        batch.pieces.clear()
        if len(self._in_flight) == self._most_in_flight:
            self._in_flight.popleft().result()
        batch.passed = self._pool.submit(self._forward, frames)
        self._in_flight.append(batch.passed)


def _outputs(parts: list[_Part]) -> Outputs:
    """Return the outputs of one stack; waits for them."""
    found = [[layer[part.rows] for layer in part.batch.outputs()] for part in parts]
    # Copies, so that the outputs of one stack do not keep whole batches in memory.
    return [np.concatenate(layer) for layer in zip(*found, strict=True)]
