"""Which files an experiment has, and what its jobs are told."""

from pathlib import Path

import pytest

from merec_hpc.config.evaluation import Method
from merec_hpc.config.motion import FlowSettings
from merec_hpc.config.whole import Config, parse_config
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError
from merec_hpc.runs.experiment import (
    dataset_folder,
    drawn_flow,
    extraction_of,
    extractions,
    features_name,
    inner_differences,
    landmark_files,
    landmark_weights,
    permutation_jobs,
    permutation_numbers,
    selection_files,
    selector_settings,
    unit_tables,
)


def test_simulated_dataset_lies_among_the_results_any_other_where_it_is(tmp_path: Path) -> None:
    assert dataset_folder(Config()) == Path("results/demo/simulated")
    given = Config(dataset="smic", dataset_root=tmp_path / "a" / ".." / "b")
    assert dataset_folder(given) == tmp_path / "b"


def test_features_are_named_by_network_or_extractor() -> None:
    assert features_name(Config()) == "flow"
    network = parse_config({"features": {"extractor": "network"}})
    assert features_name(network) == "mobilenet_v2"
    (one,) = extractions(network)
    assert (one.extractor, one.settings, one.weights) == (
        "network",
        network.features,
        "mobilenet_v2",
    )
    other = parse_config({"features": {"extractor": "lbp_top"}, "lbp_top": {"n_blocks": 3}})
    assert features_name(other) == "lbp_top"
    (one,) = extractions(other)
    assert (one.extractor, one.settings, one.weights) == ("lbp_top", other.lbp_top, None)


def test_blocks_take_from_their_extractor_s_section_what_they_do_not_say() -> None:
    config = parse_config(
        {
            "features": {
                "layer": "features.14",
                "blocks": [
                    {"extractor": "flow", "weight": 0.5},
                    {"extractor": "network", "settings": {"statistics": ["apex_difference"]}},
                    {"extractor": "flow", "name": "hoof", "settings": {"outputs": ["hoof"]}},
                ],
            },
            "flow": {"method": "farneback"},
        }
    )
    assert features_name(config) == "blocks"
    flow, deep, hoof = extractions(config)
    assert [one.name for one in (flow, deep, hoof)] == ["flow", "mobilenet_v2", "hoof"]
    assert (flow.settings, flow.weight) == (config.flow, 0.5)
    assert (deep.settings.layer, deep.settings.statistics) == ("features.14", ("apex_difference",))
    assert (deep.settings.extractor, deep.settings.blocks, deep.weight) == ("network", (), None)
    assert (hoof.settings.method, hoof.settings.outputs) == ("farneback", ("hoof",))
    assert extraction_of(config, "hoof") == hoof


def test_wrong_keys_of_a_block_are_named() -> None:
    block = {"extractor": "flow", "settings": {"grids": 3}}
    with pytest.raises(MerecError, match=r"features.blocks, flow: unknown key 'grids'; .* 'grid'"):
        extractions(parse_config({"features": {"blocks": [block]}}))
    with pytest.raises(MerecError, match=r"features.blocks, flo: an extractor of .* 'flow'"):
        extractions(parse_config({"features": {"blocks": [{"extractor": "flo"}]}}))


def test_pictures_of_the_motion_do_not_depend_on_what_becomes_a_feature() -> None:
    config = parse_config({"flow": {"method": "farneback", "window": 21, "outputs": ["hoof"]}})
    assert drawn_flow(config) == FlowSettings(method="farneback", window=21)


def test_selections_are_those_of_each_selector_once_fold_by_fold() -> None:
    methods = [Method("genetic"), Method("fisher"), Method("genetic", "ensemble")]
    assert selection_files(Config(), methods, ["s1", "s2"]) == [
        f"results/demo/selection/{name}/{fold}.h5"
        for name in ("genetic", "fisher")
        for fold in ("s1", "s2")
    ]


@pytest.mark.parametrize(
    ("selector", "section"),
    [("mrmr", "ranking"), ("ranked_forward_gini", "forward"), ("genetic", "genetic")],
)
def test_selector_is_set_by_its_section(selector: str, section: str) -> None:
    config = Config()
    assert selector_settings(config, selector) is getattr(config, section)


def test_permutations_are_dealt_out_to_jobs_and_none_is_lost() -> None:
    config = parse_config(
        {
            "permutation": {
                "n_permutations": 7,
                "permutations_per_job": 3,
                "methods": ["genetic", "genetic+ensemble"],
            }
        }
    )
    jobs = permutation_jobs(config)
    assert [(str(method), job) for method, job in jobs] == [
        (name, job) for name in ("genetic", "genetic+ensemble") for job in range(3)
    ]
    dealt = [number for job in range(3) for number in permutation_numbers(config, job)]
    assert dealt == list(range(8))
    assert permutation_jobs(Config()) == []


def test_what_methods_are_scored_by_is_said_where_it_differs() -> None:
    assert inner_differences(Config()) == []
    config = parse_config(
        {
            "evaluation": {"methods": ["genetic", "fisher", "stable_sfs"]},
            "svm": {"bias": ["none", 0.3]},
            "genetic": {"n_inner_folds": 4, "bias": "none"},
        }
    )
    assert inner_differences(config) == [
        "criterion: mu_minus_variance of genetic, fisher; mu_minus_deviation of stable_sfs",
        "n_inner_folds: 4 of genetic; one subject at a time of fisher, stable_sfs",
        "bias: none of genetic; none 0.3 of fisher, stable_sfs",
    ]
    own = {"unit": "custom", "unit_table": "units.csv"}
    config = parse_config({"evaluation": {"methods": ["genetic", "fisher"]}, "genetic": own})
    assert inner_differences(config) == [
        "unit: custom of genetic; feature of fisher",
        "unit_table: units.csv of genetic; none of fisher",
    ]
    assert unit_tables(config, ["genetic", "fisher"]) == ["units.csv"]
    config = parse_config({"evaluation": {"methods": ["genetic", "rule", "rule_random"]}})
    assert inner_differences(config) == [
        "rule, rule_random: an intercept, class-balanced log loss and groups of subjects of their own"
    ]
    assert unit_tables(Config(), ["genetic"]) == []


def test_landmarks_are_of_weights_a_model_or_tables_that_are_there(tmp_path: Path) -> None:
    clips = [Clip(name, "s1", "a", Folder("x")) for name in ("one", "two")]
    assert landmark_weights(Config()) == ["resources/weights/face_mesh"]
    assert landmark_files(Config(), clips) == []
    model = parse_config({"faces": {"landmarks": "active_shape", "shape_model": "/m.npz"}})
    assert (landmark_weights(model), landmark_files(model, clips)) == ([], ["/m.npz"])
    whole = parse_config({"faces": {"registration": "none"}})
    assert landmark_weights(whole) == []
    (tmp_path / "two.csv").touch()
    table = parse_config({"faces": {"landmarks": "table", "landmark_tables": str(tmp_path)}})
    assert landmark_files(table, clips) == [str(tmp_path / "two.csv")]
