from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.data import astronaut
from torch.utils import deterministic

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.clips.mean_face import MeanFace
from merec_hpc.config.features import FeatureSettings, Input, Statistic
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone
from merec_hpc.features.extraction import count_features, extract, feature_names
from merec_hpc.features.statistics import clip_statistics
from merec_hpc.networks.random_weights import random_weights
from merec_hpc.networks.reproducible import reproducible

SETTINGS = FeatureSettings(batch_size=4)
UNPOOLED = FeatureSettings(batch_size=4, layer="features.4", pooling="none", statistics=("std",))


@pytest.fixture(scope="module")
def backbone(weights: Path) -> Backbone:
    return Backbone("mobilenet_v2", "features.18", weights / "mobilenet_v2", device="cpu")


@pytest.fixture(scope="module")
def clips() -> list[FaceClip]:
    """Nine short clips, more than the threads take at a time: windows of a photograph."""
    photo = astronaut()
    nowhere = np.full((3, 68, 2), np.nan, np.float32)
    return [
        FaceClip(
            f"c{start}",
            np.stack([photo[start + step :, start:][:224, :224] for step in (0, 2, 5)]),
            nowhere,
            apex=2,
            n_interpolated=3,
        )
        for start in range(0, 180, 20)
    ]


@pytest.fixture(scope="module")
def expected(clips: list[FaceClip], backbone: Backbone) -> NDArray[np.float32]:
    return _rows(clips, backbone, 1)


def _rows(clips: list[FaceClip], backbone: Backbone, n_threads: int) -> NDArray[np.float32]:
    return np.stack([values for values, _ in extract(clips, backbone, SETTINGS, n_threads)])


@pytest.mark.parametrize("n_threads", [2, 3])
def test_number_of_threads_changes_no_bit(
    clips: list[FaceClip],
    backbone: Backbone,
    expected: NDArray[np.float32],
    n_threads: int,
) -> None:
    assert _rows(clips, backbone, n_threads).tobytes() == expected.tobytes()


def test_features_of_a_clip_do_not_depend_on_other_clips(
    clips: list[FaceClip], backbone: Backbone, expected: NDArray[np.float32]
) -> None:
    assert _rows(clips[4:5], backbone, 1).tobytes() == expected[4:5].tobytes()


def test_order_is_that_of_the_clips(
    clips: list[FaceClip], backbone: Backbone, expected: NDArray[np.float32]
) -> None:
    np.testing.assert_array_equal(_rows(clips[::-1], backbone, 2), expected[::-1])
    assert len(np.unique(expected, axis=0)) == len(clips)


def test_features_are_the_statistics_of_the_activations(
    clips: list[FaceClip], backbone: Backbone, expected: NDArray[np.float32]
) -> None:
    with reproducible():
        activations = backbone.activations(clips[0].interpolated())
    values = clip_statistics(activations, SETTINGS.statistics, SETTINGS.pooling)
    np.testing.assert_allclose(expected[0], values, atol=1e-5)


def test_every_clip_comes_with_the_names_of_its_features(
    clips: list[FaceClip], backbone: Backbone
) -> None:
    wanted = feature_names(SETTINGS, (1280, 7, 7))
    for values, names in extract(clips[:2], backbone, SETTINGS, 1):
        assert values.shape == (2560,)
        np.testing.assert_array_equal(names, wanted)


def test_unpooled_features_of_another_layer_keep_rows_and_columns(
    clips: list[FaceClip], weights: Path
) -> None:
    other = Backbone("mobilenet_v2", UNPOOLED.layer, weights / "mobilenet_v2", device="cpu")
    ((values, names),) = extract(clips[:1], other, UNPOOLED, 1)
    assert values.shape == names.shape == (32 * 28 * 28,)
    assert names[-1] == "mobilenet_v2/features.4/31/27/27/temporal_std"


def test_caller_has_torch_as_it_was_afterwards(clips: list[FaceClip], backbone: Backbone) -> None:
    torch.set_num_threads(2)
    list(extract(clips[:2], backbone, SETTINGS, 2))
    rows = extract(clips, backbone, SETTINGS, 2)
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # it is a generator
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
    assert deterministic.fill_uninitialized_memory
    assert torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_size_of_batches_changes_last_bits_at_most(
    clips: list[FaceClip], backbone: Backbone, expected: NDArray[np.float32], batch_size: int
) -> None:
    chosen = replace(SETTINGS, batch_size=batch_size)
    found = np.stack([values for values, _ in extract(clips, backbone, chosen, 2)])
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


# Those whose linear layers and small convolutions have kernels chosen by the size of a batch.
@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("mobilenet_v2", "classifier.1"),
        ("emotion_cnn", "linear.1"),
        ("mini_xception", "conv3"),
        ("alexnet", "classifier.5"),
    ],
)
def test_neighbours_in_a_batch_change_no_bit(network: str, layer: str, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(random_weights(0))
    backbone = Backbone(network, layer, weights, "cpu")
    photo = astronaut()
    nowhere = np.full((5, 68, 2), np.nan, np.float32)
    many = [
        FaceClip(
            f"c{start}",
            np.stack([photo[start + step :, start:][:64, :64] for step in range(5)]),
            nowhere,
            apex=2,
            n_interpolated=3,
        )
        for start in (0, 70, 140)
    ]
    chosen = FeatureSettings(network=network, layer=layer, batch_size=8)
    together = [values.tobytes() for values, _ in extract(many, backbone, chosen, 2)]
    alone = [next(extract([clip], backbone, chosen, 1))[0].tobytes() for clip in many]
    assert together == alone


def test_no_clips_give_no_rows(backbone: Backbone) -> None:
    assert list(extract([], backbone, SETTINGS, 2)) == []


def test_clips_are_read_a_few_at_a_time(clips: list[FaceClip], backbone: Backbone) -> None:
    read: list[int] = []

    def reading() -> Iterator[FaceClip]:
        for number, clip in enumerate(clips):
            read.append(number)
            yield clip

    next(extract(reading(), backbone, replace(SETTINGS, batch_size=3), 1))
    assert len(read) < len(clips)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_difference_to_the_onset_is_that_of_the_frames_as_filmed(
    clips: list[FaceClip], backbone: Backbone, n_threads: int
) -> None:
    chosen = FeatureSettings(batch_size=4, statistics=("apex_difference",))
    rows = list(extract(clips[:3], backbone, chosen, n_threads))
    assert rows[0][1][-1] == "mobilenet_v2/features.18/1279/mean/mean/apex_difference"
    for clip, (values, _) in zip(clips, rows, strict=False):
        with reproducible():
            both = np.stack([clip.frames[0], clip.frames[2]]).astype(np.float32)
            onset, apex = backbone.activations(both).astype(np.float64).mean(axis=(2, 3))
        np.testing.assert_allclose(values, apex - onset, atol=1e-5)


@pytest.mark.parametrize("kind", get_args(Input))
def test_still_clip_is_the_same_in_every_frame_and_deviates_by_nothing(
    backbone: Backbone, kind: Input
) -> None:
    frames = np.repeat(astronaut()[None, :224, 100:324], 5, axis=0)
    nowhere = np.full((5, 68, 2), np.nan, np.float32)
    clip = FaceClip("still", frames, nowhere, apex=2, n_interpolated=20)
    chosen = FeatureSettings(batch_size=4, input=kind, statistics=("mean", "variance", "std"))
    ((values, _),) = extract([clip], backbone, chosen, 1)
    mean, spreads = values[:1280], values[1280:]
    assert not spreads.any()
    seen = frames[:1].astype(np.float32) if kind == "frames" else np.zeros_like(frames[:1], float)
    with reproducible():
        alone = backbone.activations(seen.astype(np.float32), of_changes=kind != "frames")
    np.testing.assert_allclose(mean, alone[0].mean(axis=(1, 2)), rtol=1e-4, atol=1e-6)
    assert mean.any()


def test_network_sees_what_changes_if_asked(clips: list[FaceClip], backbone: Backbone) -> None:
    chosen = FeatureSettings(batch_size=4, input="differences", normalised=True)
    ((values, _),) = extract(clips[:1], backbone, chosen, 1)
    with reproducible():
        steps = np.diff(clips[0].interpolated(), axis=0)
        series = backbone.activations(steps, of_changes=True).astype(np.float64).mean(axis=(2, 3))
    blocks = [series.mean(axis=0), series.std(axis=0)]
    expected = np.concatenate([block / np.linalg.norm(block) for block in blocks])
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)


def test_what_reads_other_clips_of_the_subject_is_named_transductive(
    clips: list[FaceClip], backbone: Backbone
) -> None:
    settings = FeatureSettings(batch_size=4, input="subject_mean_removed")
    known = [replace(clip, subject=MeanFace([one.frames for one in clips], 5)) for clip in clips]
    rows = list(extract(known, backbone, settings, 1))
    assert len(rows) == len(clips)
    for clip, (values, names) in zip(known, rows, strict=True):
        seen = clip.interpolated() - clip.mean_face().pixels
        with reproducible():
            own = backbone.activations(seen.astype(np.float32), of_changes=True)
        series = own.astype(np.float64).mean(axis=(2, 3))
        expected = np.concatenate([series.mean(axis=0), series.std(axis=0)])
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)
        assert names[0] == "mobilenet_v2 (transductive)/features.18/0/mean/mean/temporal_mean"


LAYERS = ("layer1", "layer1.0.bn2", "bn1", "relu")
"""Of ResNet-34, whose ReLUs work in place; not in the order in which they are made."""


@pytest.mark.parametrize("statistics", [("mean", "std"), ("spatial_std", "apex_difference")])
def test_several_layers_are_one_after_another_to_the_byte(
    clips: list[FaceClip], tmp_path: Path, statistics: tuple[Statistic, ...]
) -> None:
    weights, side_px = tmp_path / "weights", 64
    weights.write_bytes(random_weights(0))
    chosen = FeatureSettings(
        network="resnet34",
        layer=LAYERS,
        input_px=side_px,
        batch_size=4,
        statistics=statistics,
        normalised=True,
    )
    every = Backbone("resnet34", LAYERS, weights, "cpu", side_px)
    together = list(extract(clips[:2], every, chosen, 2))
    alone = []
    for layer in LAYERS:
        one = Backbone("resnet34", layer, weights, "cpu", side_px)
        alone.append(list(extract(clips[:2], one, replace(chosen, layer=layer), 1)))
    for clip, (values, names) in enumerate(together):
        parts = [rows[clip] for rows in alone]
        assert values.tobytes() == b"".join(part.tobytes() for part, _ in parts)
        assert names.tolist() == [str(name) for _, part in parts for name in part]
    assert count_features(chosen) == len(together[0][0]) == 2 * 4 * 64


def test_layer_without_places_among_several_is_named() -> None:
    chosen = FeatureSettings(layer=("features.18", "classifier.1"), statistics=("spatial_std",))
    with pytest.raises(MerecError, match=r"spatial_std: a layer with rows .* 'classifier.1'"):
        count_features(chosen)
