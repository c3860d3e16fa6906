"""How much an experiment has to do, by what is there of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from merec_hpc.config.datasets import (
    CasmeSettings,
    ManifestSettings,
    SimulatedSettings,
    SmicSettings,
)
from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.config.whole import Config, parse_config
from merec_hpc.dataset.catalog import list_clips, write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.simulated import plan_clips, simulate
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import write_rows
from merec_hpc.records import Failure
from merec_hpc.runs.extent import assumed_extent, check_simulated, find_extent

FEW = SimulatedSettings(n_subjects=4, n_clips=12)
FOLDS = EvaluationSettings(protocol="subject_folds", n_folds=2)


@pytest.mark.parametrize("preset", ["vis", pytest.param("casme2", marks=pytest.mark.longer)])
def test_simulated_clips_are_known_before_they_are_made(tmp_path: Path, preset: str) -> None:
    settings = SimulatedSettings(preset=preset, n_subjects=3, n_clips=6)
    config = Config(dataset_settings=settings)
    extent = find_extent(config, tmp_path)
    root = tmp_path / "results" / "demo" / "simulated"
    list(simulate(root, plan_clips(settings), settings, 2))
    listed = list_clips(root, settings).clips
    known = {clip.clip: (clip.subject, clip.label) for clip in extent.clips}
    assert known == {clip.clip: (clip.subject, clip.label) for clip in listed}
    assert extent.subjects == list(dict.fromkeys(clip.subject for clip in listed))
    write_catalog(tmp_path / "results" / "demo" / "catalog.tsv", listed)
    found = find_extent(config, tmp_path)
    assert (
        sum(found.n_frames) == sum(extent.n_frames) == sum(c.n_frames for c in plan_clips(settings))
    )
    assert found.folds == extent.folds
    assert found.source == "results/demo/catalog.tsv"


def test_folds_are_those_of_the_protocol() -> None:
    config = Config(dataset_settings=FEW)
    assert len(find_extent(config).folds) == 4
    folds = find_extent(replace(config, evaluation=FOLDS)).folds
    assert [row.fold for row in folds] == ["fold1", "fold2"]
    assert sum(row.n_held_out for row in folds) == 12
    split = EvaluationSettings(protocol="official_split")
    extent = assumed_extent(Config(evaluation=split), 50, 10, 3, 20)
    assert [(row.fold, row.n_held_out) for row in extent.folds] == [("test", 10)]
    assert extent.n_classes == 3
    assert extent.frames_of("s000") == 5 * 20


def test_clips_that_were_left_out_are_in_no_fold(tmp_path: Path) -> None:
    config = Config(experiment="e", dataset_settings=FEW)
    clips = [
        Clip(f"{who}_{what}", who, what, Folder("x"))
        for who in ("a", "b", "c", "d")
        for what in "xy"
    ]
    results = tmp_path / "results" / "e"
    write_catalog(results / "catalog.tsv", clips)
    lost = [Failure(f"a_{what}", "a", "register_faces", "no face") for what in "xy"]
    write_rows(results / "faces" / "a.failures.tsv", Failure, lost)
    extent = find_extent(config, tmp_path)
    assert extent.subjects == ["a", "b", "c", "d"]
    assert [row.fold for row in extent.folds] == ["b", "c", "d"]
    write_rows(results / "failures.tsv", Failure, [])
    assert len(find_extent(config, tmp_path).folds) == 4


def test_a_folder_without_a_catalog_is_listed(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for who in ("a", "b", "c"):
        for what in ("x", "y"):
            folder = root / who / what
            folder.mkdir(parents=True)
            for number in range(3):
                (folder / f"{number}.png").touch()
    rows = [f"{who}_{what},{who},{what},{who}/{what},,," for who in "abc" for what in "xy"]
    (root / "manifest.csv").write_text(
        "\n".join(["clip,subject,label,path,onset,apex,offset", *rows]) + "\n"
    )
    config = Config(dataset="manifest", dataset_root=root, dataset_settings=ManifestSettings())
    extent = find_extent(config, tmp_path)
    assert (len(extent.clips), len(extent.subjects), sum(extent.n_frames)) == (6, 3, 18)
    assert extent.source == f"listed in {root}, frames not audited"


def test_a_published_size_counts_only_where_there_is_no_folder(tmp_path: Path) -> None:
    root = tmp_path / "smic"
    unknown = Config(dataset="casme", dataset_root=root, dataset_settings=CasmeSettings())
    with pytest.raises(MerecError, match="or its folder, or --clips and --subjects, found none"):
        find_extent(unknown, tmp_path)
    config = Config(dataset="smic", dataset_root=root, dataset_settings=SmicSettings(camera="HS"))
    extent = find_extent(config, tmp_path, frames=30)
    assert (len(extent.clips), len(extent.subjects), sum(extent.n_frames)) == (164, 16, 164 * 30)
    assert extent.source == "as published, nothing read"
    root.mkdir()
    with pytest.raises(MerecError, match="HS"):
        find_extent(config, tmp_path)


def test_a_protocol_that_asks_too_much_is_refused() -> None:
    asked = replace(FOLDS, n_folds=9)
    with pytest.raises(MerecError, match=r"evaluation\.n_folds: at most 4"):
        find_extent(Config(dataset_settings=FEW, evaluation=asked))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"inner": {"n_inner_folds": 50}}, "n_inner_folds: at most"),
        ({"evaluation": {"protocol": "subject_folds", "n_folds": 99}}, "n_folds: at most"),
        ({"simulated": {"n_subjects": 2}}, "three"),
        ({"simulated": {"n_subjects": 100}}, "subjects"),
    ],
)
def test_what_a_simulated_dataset_cannot_give_is_refused_before_it_is_made(
    values: dict[str, Any], said: str
) -> None:
    with pytest.raises(MerecError, match=said):
        check_simulated(parse_config(values))
    check_simulated(Config())
