"""Random numbers of training are functions of where they are used."""

import numpy as np
import pytest

from merec_hpc.config.training import TrainingSettings
from merec_hpc.training.streams import Purpose, batches_of, epoch_order, torch_seed


def test_each_epoch_takes_every_image_once_in_an_order_of_its_own() -> None:
    orders = [epoch_order(0, epoch, 50) for epoch in range(5)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(50))
    assert len({order.tobytes() for order in orders}) == 5
    np.testing.assert_array_equal(epoch_order(0, 3, 50), orders[3])


def test_seeds_are_of_purpose_and_place() -> None:
    seeds = {torch_seed(0, purpose, place) for purpose in Purpose for place in range(100)}
    assert len(seeds) == 100 * len(Purpose)


@pytest.mark.parametrize(
    ("n_images", "sizes"),
    [(8, [4, 4]), (9, [4, 5]), (10, [4, 4, 2]), (5, [5]), (4, [4]), (13, [4, 4, 5])],
)
def test_single_image_goes_with_those_before_it(n_images: int, sizes: list[int]) -> None:
    batches = batches_of(np.arange(n_images), 4)
    assert [len(batch) for batch in batches] == sizes
    np.testing.assert_array_equal(np.concatenate(batches), np.arange(n_images))


def test_rates_follow_milestones_and_decay() -> None:
    settings = TrainingSettings(learning_rate=0.005, milestones=((50, 0.001),))
    assert [settings.rate(epoch) for epoch in (0, 49, 50, 99)] == [0.005, 0.005, 0.001, 0.001]
    assert TrainingSettings(learning_rate=0.1, decay=0.99).rate(10) == pytest.approx(0.1 * 0.99**10)
