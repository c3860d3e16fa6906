from collections.abc import Iterator
from threading import Event, active_count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from merec_hpc.features.batches import Outputs, Stack, batched_outputs


def _stack(first: int, n_frames: int, side: int = 2) -> Stack:
    """Frames that each hold a number of their own."""
    numbers = np.arange(first, first + n_frames, dtype=np.float32)
    return np.broadcast_to(numbers[:, None, None, None], (n_frames, side, side, 3)).copy()


def _forward(frames: Stack) -> Outputs:
    """Two layers: the number of each frame, and twice it."""
    seen = frames[:, :1, :1, :1]
    return [seen, 2 * seen]


def _numbers(outputs: Outputs) -> list[float]:
    return outputs[0].ravel().tolist()


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 2)), max_size=8),
    st.integers(1, 7),
    st.integers(1, 3),
)
@settings(deadline=None, max_examples=60)
def test_each_stack_gets_the_outputs_of_its_own_frames_from_full_batches(
    sizes: list[tuple[int, int]], batch_size: int, n_threads: int
) -> None:
    starts = np.cumsum([0, *(n_frames for n_frames, _ in sizes)])
    stacks = [
        _stack(start, n_frames, side)
        for start, (n_frames, side) in zip(starts, sizes, strict=False)
    ]
    seen: list[int] = []

    def forward(frames: Stack) -> Outputs:
        seen.append(len(frames))
        return _forward(frames)

    found = list(batched_outputs(stacks, forward, batch_size, n_threads))
    assert [_numbers(one) for one in found] == [stack[:, 0, 0, 0].tolist() for stack in stacks]
    for numbers, doubled in found:
        np.testing.assert_array_equal(doubled, 2 * numbers)
    assert set(seen) <= {batch_size}
    if len({side for _, side in sizes}) == 1:  # no batch ends before it is full, but the last
        assert len(seen) == -(-int(starts[-1]) // batch_size)


def test_last_batch_is_filled_with_its_last_frame() -> None:
    seen: list[NDArray[np.float32]] = []

    def forward(frames: Stack) -> Outputs:
        seen.append(frames[:, 0, 0, 0])
        return _forward(frames)

    list(batched_outputs([_stack(0, 3), _stack(3, 2)], forward, 4, 1))
    assert [batch.tolist() for batch in seen] == [[0, 1, 2, 3], [4, 4, 4, 4]]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_no_more_is_read_than_the_network_can_work_on(n_threads: int) -> None:
    """One batch a thread and one more; those that come after wait for the first."""
    beyond, waited = Event(), Event()
    read: list[int] = []

    def reading() -> Iterator[Stack]:
        for number in range(100):
            read.append(number)
            if number > n_threads + 1:  # one more is read, and waits to be passed
                beyond.set()
            yield _stack(number, 1)

    def forward(frames: Stack) -> Outputs:
        if not waited.is_set():  # time enough to read more, if nothing holds the reader up
            beyond.wait(1)
            waited.set()
        return _forward(frames)

    outputs = batched_outputs(reading(), forward, 1, n_threads)
    next(outputs)
    assert len(read) <= n_threads + 2
    assert len(list(outputs)) == 99


def test_what_goes_wrong_in_the_network_is_raised() -> None:
    def forward(_: Stack) -> Outputs:
        msg = "wrong"
        raise ValueError(msg)

    with pytest.raises(ValueError, match=r"^wrong$"):
        list(batched_outputs([_stack(0, 1)] * 9, forward, 2, 2))


def test_iterator_that_is_closed_leaves_no_work() -> None:
    before = active_count()
    outputs = batched_outputs((_stack(number, 1) for number in range(100)), _forward, 1, 2)
    next(outputs)
    assert active_count() > before
    outputs.close()  # type: ignore[attr-defined]  # it is a generator
    assert active_count() == before
