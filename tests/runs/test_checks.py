"""What a configuration is refused for before any job."""

from pathlib import Path
from typing import Any

import pytest

from merec_hpc.config.whole import Config, parse_config
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Folder, Images, TableRow
from merec_hpc.errors import MerecError
from merec_hpc.runs.checks import check_clips, check_config, check_files

SMIC = {"dataset": "smic", "dataset_root": "/data"}


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(MerecError) as caught:
        check_config(parse_config(values))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_layer_of_a_list_is_looked_for() -> None:
    layers = ["features.18", "features.3.conv.2", "feature.18"]
    message = refusal({"features": {"extractor": "network", "layer": layers}})
    assert message.startswith("features.layer of mobilenet_v2: a layer of mobilenet_v2 expected")
    assert "found 'feature.18'" in message
    check_config(parse_config({"features": {"extractor": "network", "layer": layers[:2]}}))


@pytest.mark.parametrize(
    "values",
    [
        {"features": {"extractor": "network", "input": "differences"}},
        {"features": {"blocks": [{"extractor": "network", "settings": {"input": "mean_removed"}}]}},
    ],
)
def test_changes_of_one_interpolated_frame_are_refused(values: dict[str, Any]) -> None:
    check_config(parse_config(values))
    said = refusal({**values, "interpolation": {"n_frames": 1}})
    assert said.startswith("interpolation.n_frames: 2 or more expected by features.input ")


def test_one_interpolated_frame_differs_from_the_subjects_mean() -> None:
    features = {"extractor": "network", "input": "subject_mean_removed"}
    check_config(parse_config({"features": features, "interpolation": {"n_frames": 1}}))


def test_defaults_are_good() -> None:
    check_config(Config())
    check_files(Config())


@pytest.mark.parametrize(
    ("values", "key", "nearest"),
    [
        ({"evaluation": {"methods": ["genetik"]}}, "evaluation.methods", "genetic"),
        ({"evaluation": {"methods": ["fischer+ensemble"]}}, "evaluation.methods", "fisher"),
        ({"permutation": {"methods": ["ant_colonny"]}}, "permutation.methods", "ant_colony"),
        (
            {"features": {"extractor": "network", "network": "mobilenet_v3"}},
            "features.network",
            "mobilenet_v2",
        ),
        ({"sweep": {"networks": ["mobilenetv2"]}}, "sweep.networks", "mobilenet_v2"),
        ({"features": {"extractor": "lbptop"}}, "features.extractor", "lbp_top"),
        ({**SMIC, "smic": {"scheme": "smic-vis3"}}, "smic.scheme", "smic-vis-3"),
        ({"weights": {"face_mes": "/w"}}, "weights", "face_mesh"),
    ],
)
def test_unknown_name_is_refused_by_its_key_with_the_nearest(
    values: dict[str, Any], key: str, nearest: str
) -> None:
    message = refusal(values)
    assert message.startswith(key)
    assert f"did you mean '{nearest}'?" in message


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            {"evaluation": {"methods": ["rule+hall_of_fame"]}},
            "evaluation.methods: rule+hall_of_fame: rules decide by the champion or as an ensemble",
        ),
        (
            {"permutation": {"methods": ["rule_evolved+hall_of_fame"]}},
            (
                "permutation.methods: rule_evolved+hall_of_fame: rules decide by the champion or as an "
                "ensemble"
            ),
        ),
        (
            {"evaluation": {"methods": ["rule"], "classifier": "random_forest"}},
            (
                "evaluation.methods: rule: evaluation.classifier linear_svm without oversampling "
                "expected, since rules decide"
            ),
        ),
        (
            {"evaluation": {"methods": ["rule"]}, "scaling": "transductive_full"},
            (
                "evaluation.methods: rule: scaling none or standard expected, found transductive_full: "
                "a rule calibrates by itself"
            ),
        ),
    ],
)
def test_what_rules_cannot_do_is_refused(values: dict[str, Any], told: str) -> None:
    assert refusal(values) == told


def test_the_control_of_all_features_takes_any_scaling() -> None:
    methods = {"evaluation": {"methods": ["all_features+ensemble"]}}
    check_config(parse_config({**methods, "scaling": "transductive_full"}))


@pytest.mark.parametrize("section", ["features", "sweep"])
def test_layer_that_a_network_has_not_is_refused_with_the_nearest(section: str) -> None:
    network = {"extractor": "network", "layer": "feature.18"}
    given = (
        network
        if section == "features"
        else {"networks": ["mobilenet_v2"], "layers": ["feature.18"]}
    )
    message = refusal({section: given})
    assert message.startswith(f"{section}.layer")
    assert "a layer of mobilenet_v2 expected" in message
    assert "found 'feature.18'" in message
    assert "did you mean 'features.18'?" in message


@pytest.mark.parametrize(
    "layer", ["features.14", "features.18", "classifier.1", "features.3.conv.2"]
)
def test_layers_of_the_graph_are_known_usual_or_not(layer: str) -> None:
    check_config(parse_config({"features": {"extractor": "network", "layer": layer}}))


def test_official_split_needs_a_dataset_that_has_one() -> None:
    split = {"evaluation": {"protocol": "official_split"}}
    assert "a dataset with splits expected, found smic" in refusal({**SMIC, **split})
    for dataset in ("fer2013", "rafdb", "sfew", "manifest"):
        check_config(parse_config({"dataset": dataset, "dataset_root": "/data", **split}))


@pytest.mark.parametrize(
    ("values", "key", "wanted"),
    [
        ({"calibration": {"min_clips": 5}}, "calibration.min_clips", "transductive_full or"),
        ({"scaling": "none", "calibration": {"kappa": 2.0}}, "calibration.kappa", "_shrunk"),
        (
            {"scaling": "transductive_full", "calibration": {"kappa": 2.0}},
            "calibration.kappa",
            "transductive_shrunk",
        ),
        ({"evaluation": {"n_folds": 5}}, "evaluation.n_folds", "subject_folds"),
        ({"evaluation": {"held_out_split": "validation"}}, "evaluation.held_out_split", "official"),
        (
            {"faces": {"registration": "none", "warp": "piecewise_affine"}},
            "faces.warp",
            "first_frame or each_frame",
        ),
        ({"faces": {"shape_model": "/m"}}, "faces.shape_model", "active_shape"),
        ({"faces": {"landmark_tables": "/t"}}, "faces.landmark_tables", "table"),
        ({"faces": {"crop": "shape", "eye_row_fraction": 0.4}}, "faces.eye_row_fraction", "eyes"),
        ({"faces": {"shape_fraction": 0.7}}, "faces.shape_fraction", "crop shape"),
        (
            {"features": {"extractor": "lbp_top", "statistics": ["std"]}},
            "features.statistics",
            "network",
        ),
        ({"lbp_top": {"n_blocks": 3}}, "lbp_top.n_blocks", "lbp_top"),
        ({"genetic": {"n_islands": 1, "topology": "full"}}, "genetic.topology", "several islands"),
        (
            {"genetic": {"n_islands": 1, "migration_interval": 3}},
            "genetic.migration_interval",
            "several islands",
        ),
        (
            {"genetic": {"objectives": ["fitness", "n_features"], "flat_range": 0.02}},
            "genetic.flat_range",
            "fitness alone",
        ),
        (
            {"ranking": {"n_selected": 5, "n_selected_values": [1, 2]}},
            "ranking.n_selected_values",
            "null",
        ),
        ({"dataset_root": "/data"}, "dataset_root", "simulated"),
    ],
)
def test_key_that_does_nothing_is_named(values: dict[str, Any], key: str, wanted: str) -> None:
    message = refusal(values)
    assert message.startswith(f"'{key}' is ")
    assert f"{wanted}" in message.partition("does nothing where")[2]


def test_key_that_acts_is_let_through() -> None:
    check_config(parse_config({"evaluation": {"protocol": "subject_folds", "n_folds": 5}}))
    check_config(parse_config({"faces": {"landmarks": "active_shape", "shape_model": "/m"}}))
    check_config(parse_config({"features": {"extractor": "lbp_top"}, "lbp_top": {"n_blocks": 3}}))
    # The rule that chooses the generation reads them, however the search ends.
    check_config(parse_config({"genetic": {"flat_range": 0.02, "steep_derivative": 0.1}}))
    check_config(parse_config({"faces": {"crop": "shape", "shape_fraction": 0.7}}))
    shrunk = {"min_clips": 4, "kappa": 0.3}
    check_config(parse_config({"scaling": "transductive_shrunk", "calibration": shrunk}))
    check_config(parse_config({"scaling": "transductive_full", "calibration": {"min_clips": 4}}))


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"faces": {"landmarks": "active_shape", "shape_model": "absent"}}, "faces.shape_model"),
        ({"faces": {"reference": "absent"}}, "faces.reference"),
        ({"faces": {"landmarks": "table", "landmark_tables": "absent"}}, "faces.landmark_tables"),
        ({"corrections": "absent"}, "corrections"),
        ({"weights": {"mobilenet_v2": "absent"}}, "weights.mobilenet_v2"),
        ({"genetic": {"unit": "custom", "unit_table": "absent"}}, "genetic.unit_table"),
    ],
)
def test_file_that_is_not_there_is_named(values: dict[str, Any], key: str) -> None:
    with pytest.raises(
        MerecError, match=rf"^{key}: a (file|folder) expected, found none at absent"
    ):
        check_files(parse_config(values))


@pytest.mark.parametrize(
    ("dataset", "section", "path"),
    [
        ("smic", {"sheet": "absent.xlsx"}, "absent.xlsx"),
        ("casme2", {"sheet": "absent.xlsx"}, "absent.xlsx"),
        ("manifest", {}, "manifest.csv"),
        ("megc2019", {"samm": "s", "samm_sheet": "absent.xlsx"}, "s/absent.xlsx"),
    ],
)
def test_sheet_that_is_not_there_is_named(
    tmp_path: Path, dataset: str, section: dict[str, str], path: str
) -> None:
    config = parse_config({"dataset": dataset, "dataset_root": str(tmp_path), dataset: section})
    with pytest.raises(MerecError, match=f"^{dataset}.*expected, found none at {tmp_path / path}$"):
        check_files(config)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("")
    check_files(config)


def test_missing_folder_of_a_dataset_is_named(tmp_path: Path) -> None:
    config = Config(dataset="smic", dataset_root=tmp_path / "absent")
    with pytest.raises(MerecError, match="expected the dataset's folder, found no such folder"):
        check_files(config)


def clips(n_subjects: int) -> list[Clip]:
    return [
        Clip(f"s{subject}_{label}", f"s{subject}", label, Folder("x"))
        for subject in range(n_subjects)
        for label in ("a", "b")
    ]


def test_more_inner_folds_than_training_subjects_are_refused() -> None:
    config = parse_config({"inner": {"n_inner_folds": 9000}})
    expected = r"^all_features\.n_inner_folds: at most 4, the training subjects of a fold, .* 9000$"
    with pytest.raises(MerecError, match=expected):
        check_clips(config, clips(5))
    check_clips(parse_config({"inner": {"n_inner_folds": 4}}), clips(5))
    # Of a selector that does not run nobody asks.
    check_clips(parse_config({"ranking": {"n_inner_folds": 9000}}), clips(5))


def test_groupings_of_single_subjects_are_refused() -> None:
    inner = {"n_inner_folds": 4, "n_groupings": 2}
    expected = r"^all_features\.n_inner_folds: fewer than 4, .* for n_groupings 2, found 4$"
    with pytest.raises(MerecError, match=expected):
        check_clips(parse_config({"inner": inner}), clips(5))
    check_clips(parse_config({"inner": {**inner, "n_inner_folds": 3}}), clips(5))


def test_more_folds_than_subjects_are_refused() -> None:
    config = parse_config({"evaluation": {"protocol": "subject_folds", "n_folds": 9}})
    with pytest.raises(MerecError, match=r"evaluation\.n_folds: at most 5"):
        check_clips(config, clips(5))


def test_catalog_without_splits_has_no_official_one() -> None:
    values = {"dataset": "manifest", "dataset_root": "/d"}
    config = parse_config({**values, "evaluation": {"protocol": "official_split"}})
    with pytest.raises(MerecError, match="official_split"):
        check_clips(config, clips(5))


@pytest.mark.parametrize(
    ("features", "is_refused"),
    [
        ({}, True),
        ({"extractor": "lbp"}, True),
        ({"extractor": "network", "statistics": ["mean", "max_difference"]}, True),
        ({"extractor": "network"}, False),
        ({"extractor": "network", "input": "mean_removed"}, True),
        ({"extractor": "network", "input": "subject_mean_removed"}, False),
        ({"extractor": "lbp_top"}, False),
        ({"blocks": [{"extractor": "lbp_top"}, {"extractor": "flow", "name": "motion"}]}, True),
    ],
)
def test_motion_of_single_images_is_refused_before_faces_are_looked_for(
    features: dict[str, Any], is_refused: bool
) -> None:
    config = parse_config({"features": features})
    pairs = [
        Clip(f"{s}_{label}", s, label, Images((f"{s}.png", f"{s}_{label}.png")))
        for s in ("s1", "s2", "s3")
        for label in "ab"
    ]
    check_clips(config, pairs)
    for source in (Images(("s4_a.png",)), TableRow("faces.csv", 3)):
        stills = [*pairs, Clip("s4_a", "s4", "a", source)]
        if is_refused:
            with pytest.raises(MerecError, match=r"films, or pairs of a neutral .* clip 's4_a'"):
                check_clips(config, stills)
        else:
            check_clips(config, stills)
    short = [*pairs, Clip("s4_a", "s4", "a", Folder("s4"), onset=5, offset=5)]
    if is_refused:
        with pytest.raises(MerecError, match="found the single frame of clip 's4_a'"):
            check_clips(config, short)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"faces": {"size_px": 32}, "flow": {"grid": 40}},
            "flow.grid of flow: at most faces.size_",
        ),
        ({"flow": {"grid": 100000}}, "flow.grid of flow: at most faces.size_px, 224, expected"),
        (
            {"features": {"extractor": "lbp_top"}, "lbp_top": {"n_blocks": 300}},
            "lbp_top.n_blocks of lbp_top: at most",
        ),
        (
            {"faces": {"registration": "none"}, "apex": {"method": "dc_rois"}},
            "apex.method dc_rois: landmarks expected",
        ),
        (
            {"faces": {"registration": "none"}, "flow": {"outputs": ["mdmo"]}},
            "flow.outputs mdmo: landmarks expected",
        ),
    ],
)
def test_motion_that_faces_cannot_have_is_refused(values: dict[str, Any], said: str) -> None:
    assert refusal(values).startswith(said)


def test_keys_of_the_section_that_a_block_reads_are_not_idle() -> None:
    hoof = [{"extractor": "flow", "settings": {"outputs": ["hoof"]}}]
    check_config(parse_config({"features": {"blocks": hoof}, "flow": {"n_blocks": 8}}))
    farneback = [{"extractor": "flow", "settings": {"method": "farneback"}}]
    check_config(parse_config({"features": {"blocks": farneback}, "flow": {"window": 21}}))


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ({"extractor": "flow", "settings": {"hoof_weights": "bi_woof"}}, "hoof_weights"),
        ({"extractor": "flow", "settings": {"window": 9}}, "window"),
        ({"extractor": "flow", "settings": {"preset": "fast", "method": "farneback"}}, "preset"),
        ({"extractor": "network", "settings": {"extractor": "flow"}}, "extractor"),
        ({"extractor": "network", "settings": {"blocks": []}}, "blocks"),
    ],
)
def test_keys_of_a_block_without_use_are_named(block: dict[str, Any], key: str) -> None:
    said = refusal({"features": {"blocks": [block]}})
    assert said.startswith("features.blocks, ")
    assert f"'{key}' does nothing in its settings" in said


def test_a_block_names_its_extractor_and_a_weight_that_can_be() -> None:
    for block, said in (
        ({"name": "x"}, "extractor"),
        ({"extractor": "flow", "weight": 1e8}, "weight"),
    ):
        with pytest.raises(MerecError, match=f"features.blocks.0.{said}"):
            parse_config({"features": {"blocks": [block]}})


def test_blocks_of_one_name_and_wrong_settings_are_refused() -> None:
    twice = {"features": {"blocks": [{"extractor": "flow"}, {"extractor": "flow", "weight": 2.0}]}}
    assert refusal(twice).startswith("features.blocks: each name once expected, found 'flow' 2")
    named = {"features": {"blocks": [{"extractor": "flow", "name": "blocks"}]}}
    assert "another name than 'blocks'" in refusal(named)
    layer = {"extractor": "network", "settings": {"layer": "feature.18"}}
    assert "a layer of mobilenet_v2 expected" in refusal({"features": {"blocks": [layer]}})
    with_other = {"extractor": "network", "blocks": [{"extractor": "flow"}]}
    assert refusal({"features": with_other}).startswith("'features.extractor' is network")


def test_a_method_of_flow_that_opencv_lacks_is_refused() -> None:
    for values in (
        {"flow": {"method": "tvl1"}},
        {"features": {"blocks": [{"extractor": "flow", "settings": {"method": "tvl1"}}]}},
    ):
        assert refusal(values).startswith("flow.method tvl1: OpenCV with its contributed modules")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"flow": {"window": 21}}, "flow.window"),
        ({"flow": {"method": "farneback", "preset": "fast"}}, "flow.preset"),
        ({"flow": {"n_blocks": 3}}, "flow.n_blocks"),
        ({"flow": {"outputs": ["mdmo"], "grid": 7}}, "flow.grid"),
        ({"features": {"extractor": "lbp"}, "flow": {"grid": 7}}, "flow.grid"),
        ({"lbp": {"radius": 2}}, "lbp.radius"),
        ({"features": {"statistics": ["std"]}}, "features.statistics"),
        ({"clips": {"format": "float16"}}, "clips.format"),
        ({"calibration": {"min_clips": 2}}, "calibration.min_clips"),
    ],
)
def test_keys_of_motion_without_use_are_named(values: dict[str, Any], key: str) -> None:
    assert refusal(values).startswith(f"'{key}' is")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"inner": {"unit": "block"}}, "genetic.unit block: features.blocks expected"),
        (
            {"evaluation": {"methods": ["mrmr"]}, "inner": {"unit": "cell"}},
            "ranking: unit feature expected with mrmr",
        ),
        (
            {"permutation": {"n_permutations": 1, "methods": ["ranked_forward_mrmr"]},
             "forward": {"unit": "cell"}},
            "forward: unit feature expected with ranked_forward_mrmr",
        ),
        ({"inner": {"unit": "custom"}}, "config: in 'inner': unit is custom and unit_table null"),
        ({"inner": {"genome": "weights"}}, "config: unknown key 'inner.genome'"),
        ({"ranking": {"genome": "weights"}}, "config: unknown key 'ranking.genome'"),
    ],
)  # fmt: skip
def test_groups_that_cannot_be_are_refused(values: dict[str, Any], said: str) -> None:
    assert refusal(values).startswith(said)
    table = {"unit": "custom", "unit_table": "units.csv"}
    check_config(parse_config({"inner": table, "genetic": {"genome": "weights"}}))
    check_config(
        parse_config({"evaluation": {"methods": ["all_features"]}, "inner": {"unit": "block"}})
    )


@pytest.mark.parametrize(
    "values",
    [
        {"features": {"extractor": "network", "network": "vgg_f", "layer": "pool5"}},
        {"sweep": {"networks": ["mobilenet_v2", "vgg_f"]}},
    ],
)
def test_network_whose_weights_no_package_carries_needs_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, values: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MerecError, match=r"^weights.vgg_f: a file expected, since no package"):
        check_files(parse_config(values))
    named = tmp_path / "imagenet-vgg-f.mat"
    named.touch()
    check_files(parse_config({**values, "weights": {"vgg_f": str(named)}}))
    made = tmp_path / "resources" / "weights" / "vgg_f"
    made.parent.mkdir(parents=True)
    made.touch()
    check_files(parse_config(values))


def test_network_whose_weights_a_package_carries_needs_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, layer in (("emotion_cnn", "conv_4"), ("mini_xception", "block4")):
        own = {"extractor": "network", "network": name, "layer": layer}
        check_files(parse_config({"features": own}))
