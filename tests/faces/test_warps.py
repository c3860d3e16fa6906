import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from merec_hpc.config.faces import FaceSettings
from merec_hpc.faces.reference import reference_landmarks
from merec_hpc.faces.warps import (
    Affine,
    fit_similarity,
    local_weighted_mean_places,
    piecewise_affine_places,
    shrinking,
    similarity_places,
    warp_by_places,
    warp_image,
)


def map_points(points: NDArray[np.float64], affine: Affine) -> NDArray[np.float64]:
    mapped: NDArray[np.float64] = points @ affine[:, :2].T + affine[:, 2]
    return mapped


def _similarity(scale: float, angle: float, shift: tuple[float, float]) -> Affine:
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def _blob(place: tuple[float, float], size: int, sigma: float = 4.0) -> NDArray[np.uint8]:
    """A bright spot on black."""
    rows, columns = np.mgrid[0:size, 0:size]
    squares = (columns - place[0]) ** 2 + (rows - place[1]) ** 2
    grey = 250 * np.exp(-squares / (2 * sigma**2))
    return np.repeat(grey[..., None], 3, axis=2).round().astype(np.uint8)


def _centre(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The (x, y) of an image's centre of mass."""
    mass = image.sum(axis=2, dtype=np.float64)
    rows, columns = np.mgrid[0 : len(image), 0 : image.shape[1]]
    return np.array([(columns * mass).sum(), (rows * mass).sum()]) / mass.sum()


@given(
    seed=st.integers(0, 2**32 - 1),
    n_points=st.integers(2, 68),
    scale=st.floats(0.1, 10),
    angle=st.floats(-3.1, 3.1),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_known_similarity_is_recovered(
    seed: int, n_points: int, scale: float, angle: float, shift: tuple[float, float]
) -> None:
    source = np.random.default_rng(seed).normal(100, 50, (n_points, 2))
    known = _similarity(scale, angle, shift)
    fitted = fit_similarity(source, map_points(source, known))
    np.testing.assert_allclose(map_points(source, fitted), map_points(source, known), atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1), n_points=st.integers(3, 68))
def test_noisy_points_are_fitted_by_least_squares(seed: int, n_points: int) -> None:
    rng = np.random.default_rng(seed)
    source, target = rng.normal(100, 50, (n_points, 2)), rng.normal(80, 30, (n_points, 2))
    # x' = a x - b y + c and y' = b x + a y + d are linear in a, b, c, d.
    x, y = source.T
    one, none = np.ones(n_points), np.zeros(n_points)
    rows = np.concatenate([np.stack([x, -y, one, none], 1), np.stack([y, x, none, one], 1)])
    a, b, c, d = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose(
        fit_similarity(source, target), [[a, -b, c], [b, a, d]], rtol=1e-6, atol=1e-6
    )


def test_mirrored_points_are_not_fitted_by_a_reflection(rng: np.random.Generator) -> None:
    source = rng.normal(size=(20, 2))
    fitted = fit_similarity(source, source * [-1, 1])
    assert np.linalg.det(fitted[:, :2]) >= 0


def test_points_of_any_leading_axes_are_mapped(rng: np.random.Generator) -> None:
    points = rng.normal(size=(3, 5, 2))
    affine = _similarity(2.0, 0.3, (4.0, -1.0))
    mapped = map_points(points, affine)
    assert mapped.shape == (3, 5, 2)
    x, y = points[2, 4]
    np.testing.assert_allclose(mapped[2, 4], affine @ [x, y, 1])


@pytest.mark.parametrize(
    ("scale", "angle", "shift"),
    [(1.0, 0.0, (7.0, -4.0)), (1.6, 0.4, (10.0, -30.0)), (0.45, -0.5, (5.0, 60.0))],
)
def test_warped_image_shows_a_point_where_the_map_takes_it(
    scale: float, angle: float, shift: tuple[float, float]
) -> None:
    place = (83.0, 71.0)
    affine = _similarity(scale, angle, shift)
    warped = warp_image(_blob(place, 160), affine, 180)
    assert warped.shape == (180, 180, 3)
    assert warped.dtype == np.uint8
    np.testing.assert_allclose(_centre(warped), map_points(np.array(place), affine), atol=0.1)


def test_identity_changes_no_pixel(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(warp_image(image, _similarity(1, 0, (0, 0)), 64), image)


def test_whole_shift_moves_pixels_and_repeats_the_border(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)
    warped = warp_image(image, _similarity(1, 0, (4, 0)), 30)
    np.testing.assert_array_equal(warped[:, 4:], image[:, :-4])
    np.testing.assert_array_equal(warped[:, :4], np.repeat(image[:, :1], 4, axis=1))


def test_fine_texture_does_not_alias_where_the_image_shrinks() -> None:
    rows, columns = np.mgrid[0:300, 0:300]
    board = np.where((rows + columns) % 2, 255, 0).astype(np.uint8)
    image = np.repeat(board[..., None], 3, axis=2)
    warped = warp_image(image, _similarity(0.3, 0, (0, 0)), 90)
    assert np.abs(warped[5:-5, 5:-5].astype(float) - 127.5).max() < 5


@pytest.fixture
def reference() -> NDArray[np.float64]:
    return reference_landmarks(FaceSettings())


DENSE = {"lwm": local_weighted_mean_places, "piecewise": piecewise_affine_places}


@pytest.mark.parametrize("name", DENSE)
def test_a_similar_face_is_read_by_the_similarity(
    reference: NDArray[np.float64], name: str
) -> None:
    turn = 0.9 * np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    landmarks = reference @ turn.T + [30, -5]
    affine = fit_similarity(landmarks, reference)
    found = DENSE[name](landmarks, reference, 224)
    np.testing.assert_allclose(found, similarity_places(affine, 224), atol=1e-3)


@pytest.mark.parametrize(("name", "error_px"), [("lwm", 0.6), ("piecewise", 0.3)])
def test_landmarks_come_to_lie_on_the_reference(
    reference: NDArray[np.float64], name: str, error_px: float
) -> None:
    rng = np.random.default_rng(0)
    # Another identity: a smooth bend of two pixels and more.
    bend = np.stack([3 * np.sin(reference[:, 1] / 40), 2 * np.cos(reference[:, 0] / 50)], axis=1)
    landmarks = 1.3 * reference + bend + rng.normal(0, 0.05, reference.shape) + 20
    places = DENSE[name](landmarks, reference, 224)
    x, y = reference.T.astype(np.float32)
    read = cv2.remap(places, x[None], y[None], cv2.INTER_LINEAR)[0]
    distances = np.linalg.norm(read - landmarks, axis=1)
    inside = (reference > 1).all(axis=1) & (reference < 222).all(axis=1)
    assert distances[inside].mean() < error_px
    similarity = similarity_places(fit_similarity(landmarks, reference), 224)
    left = cv2.remap(similarity, x[None], y[None], cv2.INTER_LINEAR)[0]
    assert np.linalg.norm(left - landmarks, axis=1)[inside].mean() > 2 * distances[inside].mean()


@pytest.mark.parametrize("name", DENSE)
def test_places_are_smooth_and_never_fold(reference: NDArray[np.float64], name: str) -> None:
    landmarks = reference + 1.5 * np.sin(reference[:, ::-1] / 30)
    places = DENSE[name](landmarks, reference, 224).astype(np.float64)
    across, down = np.diff(places, axis=1)[:-1], np.diff(places, axis=0)[:, :-1]
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    assert area.min() > 0.3
    assert np.abs(np.diff(places, n=2, axis=0)).max() < (0.4 if name == "lwm" else 1.0)


def test_a_dense_map_reads_as_the_affine_one_does() -> None:
    rng = np.random.default_rng(1)
    image = cv2.resize(rng.integers(256, size=(20, 30, 3)).astype(np.uint8), (300, 200))
    affine = np.array([[0.7, -0.1, 12.0], [0.1, 0.7, 30.0]])
    direct = warp_image(image, affine, 128)
    dense = warp_by_places(image, similarity_places(affine, 128), shrinking(affine))
    difference = np.abs(direct.astype(int) - dense)
    assert difference.mean() < 0.5
    assert difference.max() <= 6
