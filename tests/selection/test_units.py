"""Groups of features from names, blocks and tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.config.features import FeatureSettings, LbpSettings, LbpTopSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.config.selection import GeneticSettings, InnerSettings, RankingSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.extraction import feature_names
from merec_hpc.features.lbp import lbp_names
from merec_hpc.features.lbp_top import lbp_top_names
from merec_hpc.features.statistics import statistic_names
from merec_hpc.motion.descriptors import flow_names
from merec_hpc.motion.regions import REGION_NAMES
from merec_hpc.records import Features
from merec_hpc.selection.fitness.unit_fitness import find_genome
from merec_hpc.selection.selectors import check_unit
from merec_hpc.selection.units import Units, find_units


def _with_names(features: Features, names: object) -> Features:
    values = np.zeros((24, len(np.asarray(names))), np.float32)
    return replace(features, names=np.asarray(names), values=values)


def _units(features: Features, names: object, unit: str) -> Units:
    found = find_units(_with_names(features, names), InnerSettings(unit=unit))  # type: ignore[arg-type]
    assert found is not None
    assert len(found.group_of) == len(np.asarray(names))
    return found


def _members(units: Units, names: object, group: str) -> list[str]:
    (place,) = np.flatnonzero(units.names == group)
    return np.asarray(names)[units.group_of == place].tolist()


def test_layers_have_channels_and_cells_of_their_own(features: Features) -> None:
    chosen = FeatureSettings(
        layer=("features.4", "features.18"),
        pooling="none",
        statistics=("std", "spatiotemporal_std"),
    )
    names = feature_names(chosen, (2, 2, 2), (3, 2, 2))
    by_channel = _units(features, names, "channel")
    assert len(by_channel.names) == 5
    assert len(_members(by_channel, names, "mobilenet_v2/features.4/1")) == 5
    by_cell = _units(features, names, "cell")
    assert len(by_cell.names) == 10
    assert len(_members(by_cell, names, "mobilenet_v2/features.18/all/all")) == 3


def test_network_features_have_channels_and_cells(features: Features) -> None:
    statistics = ("mean", "spatial_std")
    names = statistic_names("mobilenet_v2/features.18", statistics, "none", (3, 2, 2))
    by_channel = _units(features, names, "channel")
    stem = "mobilenet_v2/features.18"
    assert by_channel.names.tolist() == [f"{stem}/{channel}" for channel in range(3)]
    assert _members(by_channel, names, f"{stem}/1") == [
        *(f"{stem}/1/{row}/{column}/temporal_mean" for row in range(2) for column in range(2)),
        f"{stem}/1/all/all/spatial_std",
    ]
    by_cell = _units(features, names, "cell")
    places = ["0/0", "0/1", "1/0", "1/1", "all/all"]
    assert by_cell.names.tolist() == [f"{stem}/{place}" for place in places]
    assert len(_members(by_cell, names, f"{stem}/1/0")) == 3


def test_histograms_have_bins_for_channels(features: Features) -> None:
    lbp = lbp_names(LbpSettings())
    assert len(_units(features, lbp, "channel").names) == 59
    assert len(_units(features, lbp, "cell").names) == 25
    top = lbp_top_names(LbpTopSettings(n_blocks=2))
    by_bin, by_cell = (_units(features, top, unit) for unit in ("channel", "cell"))
    assert _members(by_bin, top, "lbp_top/xt/3") == [
        f"lbp_top/{row}/{column}/xt/3" for row in range(2) for column in range(2)
    ]
    assert by_cell.names.tolist() == [f"lbp_top/{place}" for place in ("0/0", "0/1", "1/0", "1/1")]


def test_cells_of_flow_are_of_their_own_grid(features: Features) -> None:
    outputs = ("u", "strain", "hoof", "mdmo")
    names = flow_names(FlowSettings(outputs=outputs, grid=4, n_blocks=2, n_bins=8))
    by_cell = _units(features, names, "cell")
    assert len(by_cell.names) == 16 + 4 + len(REGION_NAMES)
    assert _members(by_cell, names, "flow/dis/0/1") == ["flow/dis/0/1/u", "flow/dis/0/1/strain"]
    hoof = [f"flow/dis/0/1/hoof/{number}" for number in range(8)]
    assert _members(by_cell, names, "flow/dis/hoof/0/1") == hoof
    region = REGION_NAMES[0]
    assert len(_members(by_cell, names, f"flow/dis/{region}")) == 2
    by_channel = _units(features, names, "channel")
    expected = ["u", "strain", *(f"hoof/{number}" for number in range(8))]
    expected += ["mdmo/magnitude", "mdmo/angle"]
    assert by_channel.names.tolist() == [f"flow/dis/{channel}" for channel in expected]


def test_blocks_side_by_side_are_groups_and_keep_theirs_apart(features: Features) -> None:
    names = ["a:lbp_top/0/0/xy/0", "a:lbp_top/0/0/xt/0", "b:lbp_top/0/0/xy/0", "flow/dis/0/0/u"]
    by_cell = _units(features, names, "cell")
    assert by_cell.group_of.tolist() == [0, 0, 1, 2]
    assert by_cell.names.tolist() == ["a:lbp_top/0/0", "b:lbp_top/0/0", "flow/dis/0/0"]
    clips = replace(_with_names(features, names), blocks=np.array(["a", "a", "b", "flow"]))
    found = find_units(clips, InnerSettings(unit="block"))
    assert found is not None
    assert found.group_of.tolist() == [0, 0, 1, 2]
    assert found.names.tolist() == ["a", "b", "flow"]


def test_labels_have_no_part_in_groups(features: Features) -> None:
    clips = _with_names(features, lbp_names(LbpSettings()))
    settings = GeneticSettings(unit="cell")
    expected = find_genome(clips, settings)
    found = find_genome(replace(clips, labels=clips.labels[::-1]), settings)
    assert expected is not None
    assert found is not None
    np.testing.assert_array_equal(found.group_of, expected.group_of)


def _table(path: Path, rows: list[tuple[str, str]]) -> InnerSettings:
    path.write_text("\n".join([f"{one},{other}" for one, other in [("feature", "group"), *rows]]))
    return InnerSettings(unit="custom", unit_table=path)


def test_table_says_the_group_of_each_feature(features: Features, tmp_path: Path) -> None:
    rows = [(f"feature{at:02d}", f"g{at % 3}") for at in range(30)]
    found = find_units(features, _table(tmp_path / "units.csv", rows[::-1]))
    assert found is not None
    assert found.group_of.tolist() == [at % 3 for at in range(30)]
    assert found.names.tolist() == ["g0", "g1", "g2"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[2:], "all 30 features expected, found no 'feature00' (and 1 others)"),
        (lambda rows: [*rows, ("nose", "g")], "features of the clips alone expected, found 'nose'"),
        (lambda rows: [*rows, rows[4]], "each feature once expected, found 'feature04' again"),
        (
            lambda rows: [("feature00", ""), *rows[1:]],
            "a text expected in column 'group' of line 2, found ''",
        ),
    ],
)
def test_table_of_other_features_is_refused(
    features: Features, tmp_path: Path, change: object, said: str
) -> None:
    rows = [(f"feature{at:02d}", "g") for at in range(30)]
    settings = _table(tmp_path / "units.csv", change(rows))  # type: ignore[operator]
    with pytest.raises(MerecError) as raised:
        find_units(features, settings)
    assert str(raised.value).startswith(f"{tmp_path / 'units.csv'}: ")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_names_without_the_part_are_refused_with_one_of_them(features: Features) -> None:
    for unit in ("channel", "cell"):
        with pytest.raises(MerecError) as raised:
            find_units(features, InnerSettings(unit=unit))  # type: ignore[arg-type]
        message = str(raised.value)
        assert message.startswith(f"unit {unit}: names of a {unit}, as 'stem/channel/row/")
        assert message.endswith("expected, found 'feature00' (and 29 other names)")
    with pytest.raises(MerecError, match="several blocks side by side expected, found one alone"):
        find_units(features, InnerSettings(unit="block"))


def test_table_and_unit_go_together() -> None:
    with pytest.raises(
        ValueError, match="unit is custom and unit_table null, a table must be given"
    ):
        InnerSettings(unit="custom")
    with pytest.raises(ValueError, match=r"unit is cell and unit_table x\.csv"):
        InnerSettings(unit="cell", unit_table=Path("x.csv"))


@pytest.mark.parametrize("name", ["mrmr", "ranked_forward_mrmr"])
def test_an_order_without_scores_is_of_features_alone(name: str) -> None:
    check_unit(name, RankingSettings())
    check_unit("fisher", RankingSettings(unit="cell"))
    with pytest.raises(MerecError, match=f"--settings: unit feature expected with {name}"):
        check_unit(name, RankingSettings(unit="cell"))
