"""Linear discriminants against primal solves and scikit-learn."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from merec_hpc.selection.discriminant import LinearDiscriminants

Clips = tuple[NDArray[np.float64], NDArray[np.int64]]


def clips(rng: np.random.Generator, n_clips: int, n_features: int, n_classes: int) -> Clips:
    """Correlated features, about some classes of uneven sizes."""
    labels = rng.integers(n_classes, size=n_clips)
    labels[:n_classes] = np.arange(n_classes)
    mixing = rng.normal(size=(n_features, n_features)) / np.sqrt(n_features)
    values = rng.normal(size=(n_clips, n_features)) @ mixing + 5
    return values + rng.normal(size=(n_classes, n_features))[labels], labels


def within(values: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.concatenate(
        [values[labels == name] - values[labels == name].mean(axis=0) for name in np.unique(labels)]
    )


def primal(
    values: NDArray[np.float64], labels: NDArray[np.int64], shrinkage: float
) -> NDArray[np.float64]:
    """Return the directions from matrices of n_features x n_features."""
    n_clips, n_features = values.shape
    classes, counts = np.unique(labels, return_counts=True)
    inside = within(values, labels)
    pooled = inside.T @ inside / n_clips
    identity = np.trace(pooled) / n_features * np.eye(n_features)
    between = np.zeros_like(pooled)
    for name, count in zip(classes, counts, strict=True):
        difference = values[labels == name].mean(axis=0) - values.mean(axis=0)
        between += count / n_clips * np.outer(difference, difference)
    shrunk = (1 - shrinkage) * pooled + shrinkage * identity
    return np.asarray(eigh(between, shrunk)[1][:, ::-1][:, : len(classes) - 1])


def assert_equal_up_to_sign(
    found: NDArray[np.float64], expected: NDArray[np.float64], tolerance: float = 1e-6
) -> None:
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, signs * expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shrinkage", [1e-3, 0.1, 0.7, 1.0])
@pytest.mark.parametrize(
    ("n_clips", "n_features", "n_classes"), [(40, 6, 2), (40, 6, 4), (20, 60, 2), (30, 90, 3)]
)
def test_directions_are_those_of_a_primal_solve(
    rng: np.random.Generator, n_clips: int, n_features: int, n_classes: int, shrinkage: float
) -> None:
    values, labels = clips(rng, n_clips, n_features, n_classes)
    found = LinearDiscriminants.fit(values, labels, shrinkage)
    assert found.directions.shape == (n_features, n_classes - 1)
    assert found.shrinkage == shrinkage
    assert_equal_up_to_sign(found.directions, primal(values, labels, shrinkage))


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_with_next_to_no_shrinkage_clips_lie_where_scikit_learn_puts_them(
    rng: np.random.Generator, n_classes: int
) -> None:
    values, labels = clips(rng, 120, 7, n_classes)
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(values, labels)
    expected = theirs.transform(values)
    found = LinearDiscriminants.fit(values, labels, 1e-8).apply(values)
    # The kernel's condition is the inverse of the shrinkage: digits are lost.
    assert_equal_up_to_sign(found, expected - expected.mean(axis=0), 1e-4)


def test_of_two_classes_the_direction_is_that_of_scikit_learn_at_any_shrinkage(
    rng: np.random.Generator,
) -> None:
    values, labels = clips(rng, 20, 60, 2)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(values, labels)
    found = LinearDiscriminants.fit(values, labels, 0.3).directions[:, 0]
    cosine = found @ theirs.coef_[0] / np.linalg.norm(found) / np.linalg.norm(theirs.coef_[0])
    assert abs(cosine) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("n_clips", "n_features"), [(60, 8), (24, 200)])
def test_shrinkage_is_ledoit_and_wolfs(
    rng: np.random.Generator, n_clips: int, n_features: int
) -> None:
    values, labels = clips(rng, n_clips, n_features, 3)
    expected = ledoit_wolf_shrinkage(within(values, labels), assume_centered=True)
    found = LinearDiscriminants.fit(values, labels)
    assert found.shrinkage == pytest.approx(expected)
    assert_equal_up_to_sign(found.directions, primal(values, labels, float(expected)))


def test_clips_that_were_learnt_from_have_mean_0_and_the_largest_weights_are_positive(
    rng: np.random.Generator,
) -> None:
    values, labels = clips(rng, 30, 90, 4)
    found = LinearDiscriminants.fit(values, labels)
    np.testing.assert_allclose(found.apply(values).mean(axis=0), 0, atol=1e-9)
    assert (found.directions.max(axis=0) == np.abs(found.directions).max(axis=0)).all()


def test_offsets_of_features_and_names_of_classes_do_not_count(rng: np.random.Generator) -> None:
    values, labels = clips(rng, 30, 90, 3)
    found = LinearDiscriminants.fit(values, labels).apply(values)
    moved = LinearDiscriminants.fit(values + 100, np.array(["z", "a", "m"])[labels])
    np.testing.assert_allclose(moved.apply(values + 100), found, atol=1e-8)


def test_means_on_a_line_make_one_direction(rng: np.random.Generator) -> None:
    inside = rng.normal(size=(10, 4))
    values = np.concatenate([inside, inside + 1, inside + 2])
    found = LinearDiscriminants.fit(values, np.repeat([0, 1, 2], 10))
    assert found.directions.shape == (4, 1)


def test_equal_means_make_none(rng: np.random.Generator) -> None:
    found = LinearDiscriminants.fit(np.ones((6, 4)), np.arange(6) % 2)
    assert found.apply(np.ones((3, 4))).shape == (3, 0)


def test_classes_of_one_point_each_lie_along_their_means() -> None:
    values = np.repeat([[1.0, 0.0, 0.0], [3.0, 0.0, 0.0]], 3, axis=0)
    found = LinearDiscriminants.fit(values, np.repeat([0, 1], 3))
    np.testing.assert_allclose(found.directions[:, 0], [1, 0, 0], atol=1e-12)


def test_nothing_of_features_by_features_is_made(rng: np.random.Generator) -> None:
    values, labels = rng.normal(size=(40, 9216)), np.arange(40) % 3
    tracemalloc.start()
    LinearDiscriminants.fit(values, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * values.nbytes  # 9216 x 9216 would be 230 times as much


@pytest.mark.parametrize(
    ("values", "labels", "shrinkage", "message"),
    [
        (np.ones((3, 2)), [0, 1], None, "features of one label per clip expected"),
        (np.ones(3), [0, 1, 1], None, "features of one label per clip expected"),
        (np.ones((3, 2)), [1, 1, 1], None, "at least two classes expected, found 1"),
        (np.full((3, 2), np.nan), [0, 1, 1], None, "finite features expected"),
        (np.ones((3, 2)), [0, 1, 1], 0.0, "a shrinkage above 0 and at most 1 expected, found 0.0"),
        (np.ones((3, 2)), [0, 1, 1], 1.5, "a shrinkage above 0 and at most 1 expected, found 1.5"),
    ],
)
def test_mistakes_are_named(
    values: NDArray[np.float64], labels: list[int], shrinkage: float | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        LinearDiscriminants.fit(values, labels, shrinkage)
