"""Random numbers of training: each is a function of the seed, what it is for, and where it is used.

None follows from the state of a generator, so that training that was stopped goes on as if it had
not been.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What random numbers are for."""

    WEIGHTS = 0
    VALIDATION = 1
    ORDER = 2
    AUGMENTATION = 3
    DROPOUT = 4


def generator(seed: int, purpose: Purpose, *place: int) -> np.random.Generator:
    """Return the generator of one place, such as an epoch and an image."""
    return np.random.default_rng([seed, purpose, *place])


def torch_seed(seed: int, purpose: Purpose, *place: int) -> int:
    """Return a seed for ``torch.manual_seed``."""
    return int(generator(seed, purpose, *place).integers(2**63))


def epoch_order(seed: int, epoch: int, n_images: int) -> NDArray[np.int64]:
    """Return in which order an epoch takes the images, (n_images,)."""
    return generator(seed, Purpose.ORDER, epoch).permutation(n_images)


def batches_of(order: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Cut an order into batches; a single image that is left goes with those before it.

    Batch norm has nothing to learn from one image.
    """
    ends = list(range(batch_size, len(order), batch_size))
    if ends and len(order) - ends[-1] == 1:
        ends.pop()
    return np.split(order, ends)
