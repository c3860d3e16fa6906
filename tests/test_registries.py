"""One of each kind is added from outside the package's own lists, and everything knows it."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass as settings_dataclass
from torch import nn

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.commands import (
    evaluate_folds,
    extract_features,
    fetch_weights,
    index_dataset,
    run_permutation,
    score,
    select,
)
from merec_hpc.config.base import STRICT
from merec_hpc.config.datasets import DATASET_SETTINGS
from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.config.faces import FaceSettings
from merec_hpc.config.features import FeatureSettings, LbpTopSettings
from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.config.whole import parse_config
from merec_hpc.dataset.catalog import read_catalog, write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.listing import Listing, Reader
from merec_hpc.dataset.readers import READERS
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.features.extractors import EXTRACTORS, ExtractorKind
from merec_hpc.files.digest import sha256
from merec_hpc.files.rows import read_rows
from merec_hpc.metrics import METRICS, Metric
from merec_hpc.networks.network import Network, WeightFile
from merec_hpc.networks.registry import NETWORKS
from merec_hpc.records import Features, Selection
from merec_hpc.report.page import render_page
from merec_hpc.report.scores import score_columns
from merec_hpc.runs.checks import check_config
from merec_hpc.runs.experiment import features_name
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.selectors import SELECTORS, Selector
from merec_hpc.store.faces import DETECTION_SHAPE, written_faces
from merec_hpc.store.features import read_features, write_features
from merec_hpc.store.selection import read_selection


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that is not the package's."""
    module = ModuleType("outside")
    monkeypatch.setitem(sys.modules, "outside", module)
    return module


@pytest.fixture
def store(tmp_path: Path, features: Features) -> Path:
    path = tmp_path / "features.h5"
    write_features(path, features, FeatureSettings(), "0" * 64)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# A metric: one line.


def worst_recall_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The smallest recall of a class."""
    recalls = np.diagonal(counts, axis1=-2, axis2=-1) / np.maximum(counts.sum(axis=-1), 1)
    return np.asarray(recalls.min(axis=-1), np.float64)


def test_metric_becomes_rows_columns_keys_and_a_criterion(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: Path, features: Features
) -> None:
    monkeypatch.setitem(
        METRICS, "worst", Metric("worst", "recall of the worst class", worst_recall_of)
    )
    selections = []
    for fold in ("s01", "s02", "s03", "s04"):
        selections.append(tmp_path / f"{fold}.h5")
        settings = json.dumps({"criterion": "pooled_worst"})
        select.run(store, "all_features", [selections[-1]], settings, "standard", [fold])
    chosen, _ = read_selection(selections[0])
    assert 0 <= chosen.fitness <= 1
    predictions = tmp_path / "predictions.csv"
    evaluate_folds.run(store, selections, predictions)
    rows = read_rows(predictions, Prediction)
    labels, found = ([getattr(row, name) for row in rows] for name in ("label", "predicted"))
    expected = METRICS["worst"](labels, found)

    score.run(predictions, output=tmp_path / "scores.csv")
    (scored,) = rows_of(tmp_path / "scores.csv")
    assert float(scored["worst"]) == expected
    assert float(scored["worst_low"]) <= expected <= float(scored["worst_high"])

    runs = tmp_path / "runs.csv"
    run_permutation.run(store, "all_features", [0, 1], runs, settings, "standard")
    assert float(rows_of(runs)[0]["worst"]) == expected

    assert "worst_low" in score_columns()
    chosen_by = {"all_features": {"s01": chosen}}
    page = render_page("x", rows, chosen_by, [], "{}", EvaluationSettings(n_bootstraps=10))
    assert '<th title="recall of the worst class">worst</th>' in page
    parse_config({"sweep": {"criteria": ["pooled_worst"]}})


def test_metric_that_is_not_there_is_no_criterion(store: Path, tmp_path: Path) -> None:
    with pytest.raises(MerecError, match="criterion is 'pooled_worst'"):
        select.run(store, "all_features", [tmp_path / "x.h5"], '{"criterion": "pooled_worst"}')


# A selector: a module with select(), its settings, and one line.


def test_selector_is_run_evaluated_permuted_and_may_be_a_method(
    monkeypatch: pytest.MonkeyPatch,
    outside: ModuleType,
    tmp_path: Path,
    store: Path,
    features: Features,
) -> None:
    def first_six(
        fitness: Any, name: str, settings: AllFeaturesSettings, *, shows_progress: bool = False
    ) -> Selection:
        assert name == "first_six"
        everything = select_all_features(fitness, settings)
        return replace(everything, mask=np.arange(fitness.n_features) < 6)

    outside.select = first_six  # type: ignore[attr-defined]
    monkeypatch.setitem(
        SELECTORS, "first_six", Selector("all_features", AllFeaturesSettings, "outside")
    )
    selection, predictions = tmp_path / "s01.h5", tmp_path / "predictions.csv"
    select.run(store, "first_six", [selection], '{"C_values": [1.0]}', "standard", ["s01"])
    chosen, origin = read_selection(selection)
    assert (int(chosen.mask.sum()), origin.method) == (6, "first_six")
    evaluate_folds.run(store, [selection], predictions)
    assert {row["method"] for row in rows_of(predictions)} == {"first_six"}
    run_permutation.run(store, "first_six", [0], tmp_path / "runs.csv", '{"C_values": [1.0]}')
    check_config(parse_config({"evaluation": {"methods": ["first_six", "first_six+ensemble"]}}))


# An extractor: a module with open_extractor() and count_features(), its settings, and one line.


@dataclass(frozen=True)
class Brightness:
    """The mean of each colour."""

    def extract(
        self, clips: Iterable[FaceClip], n_threads: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
        for clip in clips:
            mean = clip.interpolated().mean(axis=(0, 1, 2))
            yield mean, np.array([f"brightness/{c}" for c in "rgb"])


def written_faces_of_two(folder: Path) -> tuple[Path, list[Path]]:
    """A catalog of two subjects, and their faces of one colour each."""
    clips = [Clip(f"{s}_1", s, s, Folder("x"), apex=6) for s in ("s1", "s2")]
    write_catalog(folder / "clips.tsv", clips)
    paths = []
    for value, clip in enumerate(clips, start=1):
        paths.append(folder / f"{clip.subject}.h5")
        with written_faces(paths[-1], FaceSettings(size_px=32), "") as writer:
            for _ in range(3):
                writer.add(np.full((32, 32, 3), 10 * value, np.uint8))
            writer.end_clip(
                clip.clip,
                np.zeros((3, 68, 2), np.float32),
                0.0,
                np.zeros(DETECTION_SHAPE, np.uint8),
                np.zeros((3, 2, 3)),
                (32, 32),
                [5, 6, 7],
            )
    return folder / "clips.tsv", paths


def test_extractor_fills_a_store_of_its_name(
    monkeypatch: pytest.MonkeyPatch, outside: ModuleType, tmp_path: Path
) -> None:
    outside.open_extractor = lambda settings, weights: Brightness()  # type: ignore[attr-defined]
    outside.count_features = lambda settings: 3  # type: ignore[attr-defined]
    monkeypatch.setitem(
        EXTRACTORS, "brightness", ExtractorKind("lbp_top", LbpTopSettings, "outside")
    )
    catalog, faces = written_faces_of_two(tmp_path)
    store = tmp_path / "brightness.h5"
    extract_features.run(catalog, faces, "{}", store, extractor="brightness")
    found = read_features(store)
    assert found.names.tolist() == ["brightness/r", "brightness/g", "brightness/b"]
    np.testing.assert_array_equal(found.values[:, 0], [10, 20])
    assert features_name(parse_config({"features": {"extractor": "brightness"}})) == "brightness"


# A network: a module with NETWORK, and one line.


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 3)
        self.second = nn.ReLU()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.second(self.first(batch))
        return found


def test_network_is_fetched_checked_and_extracted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    local = tmp_path / "tiny.pth"
    torch.save(Tiny().state_dict(), local)
    weights = WeightFile("nowhere==1", "tiny.pth", sha256(local), "none")
    network = Network(Tiny, weights, ("second",), 32, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
    monkeypatch.setitem(NETWORKS, "tiny", network)
    fetch_weights.run("tiny", tmp_path / "tiny", local)
    own = {"network": "tiny", "layer": "second", "statistics": ["mean"]}
    values = {"features": {"extractor": "network", **own}}
    config = parse_config({**values, "weights": {"tiny": str(local)}})
    check_config(config)
    catalog, faces = written_faces_of_two(tmp_path)
    settings = json.dumps(values["features"])
    extract_features.run(catalog, faces, settings, tmp_path / "x.h5", weights=tmp_path / "tiny")
    names = read_features(tmp_path / "x.h5").names.tolist()
    assert names == [f"tiny/second/{channel}/mean/mean/temporal_mean" for channel in (0, 1)]


# A reader: a module with READER, its settings, and one line.


@settings_dataclass(frozen=True, kw_only=True, config=STRICT)
class MineSettings:
    prefix: str = "clip"


def test_reader_is_configured_checked_and_indexed(
    monkeypatch: pytest.MonkeyPatch, outside: ModuleType, tmp_path: Path
) -> None:
    def read(root: Path, settings: MineSettings) -> Listing:
        folders = sorted(root.glob("*/*"))
        clips = [
            Clip(f"{settings.prefix}_{path.parent.name}", path.parent.name, path.name,
                 Folder(path.relative_to(root).as_posix()))
            for path in folders
        ]  # fmt: skip
        return Listing(clips, classes=("angry", "happy"))

    outside.READER = Reader(read)  # type: ignore[attr-defined]
    monkeypatch.setitem(DATASET_SETTINGS, "mine", MineSettings)
    monkeypatch.setitem(READERS, "mine", "outside")
    for subject, label in (("s1", "angry"), ("s2", "happy")):
        folder = tmp_path / "data" / subject / label
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "1.png"), np.zeros((8, 8), np.uint8))
    config = parse_config(
        {"dataset": "mine", "dataset_root": str(tmp_path / "data"), "mine": {"prefix": "c"}}
    )
    check_config(config)
    assert config.dataset_settings == MineSettings(prefix="c")
    catalog = tmp_path / "catalog.tsv"
    index_dataset.run("mine", tmp_path / "data", catalog, tmp_path / "audit.tsv", '{"prefix": "c"}')
    assert [(clip.clip, clip.label) for clip in read_catalog(catalog)] == [
        ("c_s1", "angry"),
        ("c_s2", "happy"),
    ]


def test_the_same_file_or_fold_twice_is_refused(store: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "a.h5", tmp_path / "b.h5"
    with pytest.raises(MerecError, match="--output: each once expected"):
        select.run(store, "all_features", [one, one], "{}", "standard", ["s01", "s02"])
    with pytest.raises(MerecError, match="--held-out: each once expected, found s01 again"):
        select.run(store, "all_features", [one, other], "{}", "standard", ["s01", "s01"])
    with pytest.raises(MerecError, match="a file to write expected, found a folder"):
        select.run(store, "all_features", [tmp_path], "{}", "standard", ["s01"])


def test_weights_that_an_extractor_does_not_read_are_refused(tmp_path: Path) -> None:
    catalog, faces = written_faces_of_two(tmp_path)
    for extractor, said in (("lbp_top", "no file expected"), ("network", "found no such file")):
        with pytest.raises(MerecError, match=said):
            extract_features.run(
                catalog,
                faces,
                "{}",
                tmp_path / "x.h5",
                extractor=extractor,
                weights=tmp_path / "absent",
            )
