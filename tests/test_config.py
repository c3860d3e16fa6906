import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import REPOSITORY

from merec_hpc.config.base import from_json, to_json
from merec_hpc.config.datasets import DATASET_SETTINGS, SimulatedSettings, SmicSettings
from merec_hpc.config.evaluation import Method
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.scaling import (
    KINDS,
    CalibrationSettings,
    ScalingKind,
    ScalingSettings,
    parse_scaling,
    scaling_text,
)
from merec_hpc.config.selection import GeneticSettings, SelectorSettings
from merec_hpc.config.whole import (
    SELECTOR_SECTIONS,
    Config,
    config_json,
    parse_config,
    parse_config_json,
)
from merec_hpc.errors import MerecError
from merec_hpc.runs.checks import check_config

CONFIG_FILE = REPOSITORY / "config.yaml"
EXPERIMENTS = sorted((REPOSITORY / "config").glob("*.yaml"))
_KEY_LINE = re.compile(r"^\s*\w+:")


def test_defaults_are_those_of_the_config_file() -> None:
    assert parse_config(_config_file()) == Config()


def test_config_file_lists_every_setting_and_no_other() -> None:
    # Of a selector's section not what it takes from svm and inner; of the dataset's docs/datasets.md tells.
    inner = {
        f"{section}.{key}" for section in SELECTOR_SECTIONS for key in vars(SelectorSettings())
    }
    known = {key for key in _keys_of_dataclass(Config()) if not key.startswith("dataset_settings.")}
    assert sorted(_keys_of_mapping(_config_file())) == sorted(known - inner - {"weights"})


def test_config_file_lists_the_sections_in_the_order_of_the_dataclass() -> None:
    known = [known.name for known in fields(Config)]
    assert list(_config_file()) == [name for name in known if name != "dataset_settings"]


def test_every_key_of_the_config_file_stands_under_or_beside_a_comment() -> None:
    # At most two related keys share one comment; a section's header shares its own.
    unexplained: list[str] = []
    since_comment = 3
    for line in CONFIG_FILE.read_text().splitlines():
        if line.lstrip().startswith("#"):
            since_comment = 0
        elif not line.strip():
            since_comment = 3
        elif _KEY_LINE.match(line):
            is_header = line.endswith(":")
            since_comment += 0 if is_header else 1
            if since_comment > 2 and "#" not in line:
                unexplained.append(line)
    assert not unexplained


def test_there_are_experiments_to_check() -> None:
    assert {path.name for path in EXPERIMENTS} >= {"cmu_faces.yaml", "smic_hs.yaml"}


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_ready_experiment_parses_over_the_config_file(path: Path) -> None:
    given = yaml.safe_load(path.read_text())
    config = parse_config(_merged(_config_file(), {**given, "dataset_root": "/data"}))
    assert config.experiment == path.stem
    assert config.dataset_root == Path("/data")
    check_config(config)
    assert isinstance(config.dataset_settings, DATASET_SETTINGS[given["dataset"]])


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_ready_experiment_states_only_what_differs_from_the_defaults(path: Path) -> None:
    given = yaml.safe_load(path.read_text())
    if path.stem.endswith("smic_vis"):  # names its camera although it is the default, to be plain
        del given["smic"]
    if path.stem.startswith("paper1"):  # as the paper has it, whatever the default is
        assert given.pop("svm") == {"bias": "none"}
    standing = json.loads(config_json(Config(dataset=given["dataset"], dataset_root=Path())))
    standing[given["dataset"]] = json.loads(to_json(DATASET_SETTINGS[given["dataset"]]()))
    defaults = {**dict(_leaves(standing)), "dataset": "simulated"}
    assert [key for key, value in _leaves(given) if defaults[key] == value] == []


@pytest.mark.parametrize(
    ("values", "key", "nearest"),
    [
        ({"experimnt": "a"}, "experimnt", "experiment"),
        ({"data_set": "smic"}, "data_set", "dataset"),
        ({"genetic": {"n_islnds": 1}}, "genetic.n_islnds", "genetic.n_islands"),
        ({"faces": {"size": 64}}, "faces.size", "faces.size_px"),
        ({"criterion": "mu"}, "criterion", "inner.criterion"),
        ({"n_inner_folds": 3}, "n_inner_folds", "inner.n_inner_folds"),
    ],
)
def test_unknown_key_is_named_with_the_nearest_known_one(
    values: dict[str, Any], key: str, nearest: str
) -> None:
    message = _refusal(values)
    assert f"unknown key '{key}'" in message
    assert f"did you mean '{nearest}'?" in message


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("genetic", "n_islands", "3"),
        ("genetic", "n_islands", True),
        ("genetic", "n_islands", 3.0),
        ("genetic", "n_islands", None),
        ("genetic", "mutation_rate", "0.1"),
        ("genetic", "C_values", 1.0),
        ("genetic", "C_values", []),
        ("genetic", "criterion", "best"),
        ("simulated", "peak_displacement_px", [1.5]),
        ("simulated", "peak_displacement_px", [1.5, 2.0, 3.0]),
        ("simulated", "peak_displacement_px", ["1.5", 3.0]),
        ("cmu_faces", "poses", "straight"),
        ("cmu_faces", "poses", ["down"]),
        ("cmu_faces", "poses", []),
        ("manifest", "labels", [1]),
        ("weights", "face_mesh", 3),
        ("evaluation", "methods", []),
    ],
)
def test_value_of_the_wrong_kind_is_refused_by_its_key(
    section: str, key: str, value: object
) -> None:
    message = _refusal(_of_dataset(section) | {section: {key: value}})
    assert f"'{section}.{key}" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("genetic", "n_islands", 0),
        ("genetic", "n_individuals", 1),
        ("genetic", "n_generations", -1),
        ("genetic", "mutation_rate", 1.01),
        ("genetic", "crossover_probability", -0.1),
        ("genetic", "C_values", [1.0, 0.0]),
        ("genetic", "seed", -1),
        ("simulated", "n_subjects", 1),
        ("simulated", "n_clips", 2),
        ("simulated", "peak_displacement_px", [0.0, 2.0]),
        ("faces", "size_px", 31),
        ("faces", "interocular_fraction", 0.8),
        ("interpolation", "n_frames", 0),
        ("evaluation", "n_bootstraps", 0),
    ],
)
def test_value_out_of_range_is_refused_by_its_key(section: str, key: str, value: object) -> None:
    assert f"'{section}.{key}" in _refusal(_of_dataset(section) | {section: {key: value}})


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_fraction_of_failures_lies_between_0_and_1(value: float) -> None:
    assert "'max_failed_fraction'" in _refusal({"max_failed_fraction": value})


@pytest.mark.parametrize("name", ["", "a b", "../a", "a/b", ".hidden", "a\n"])
def test_experiment_must_be_a_name_of_a_folder(name: str) -> None:
    assert "'experiment'" in _refusal({"experiment": name})


@pytest.mark.parametrize("key", ["n_emigrants", "n_elites", "n_random_migrants"])
def test_part_of_a_population_must_be_smaller_than_the_population(key: str) -> None:
    others = {"n_emigrants": 0, "n_elites": 0, "n_random_migrants": 0}
    message = _refusal({"genetic": {**others, "n_individuals": 12, key: 12}})
    assert "'genetic'" in message
    assert f"{key} is 12" in message
    assert "n_individuals (12)" in message
    parse_config({"genetic": {**others, "n_individuals": 12, key: 11}})


def test_reversed_peak_displacements_are_refused() -> None:
    message = _refusal({"simulated": {"peak_displacement_px": [3.0, 1.5]}})
    assert "peak_displacement_px is [3.0, 1.5]" in message


@pytest.mark.parametrize("dataset", ["smic", "cmu_faces", "manifest"])
def test_dataset_that_is_not_simulated_needs_a_folder(dataset: str) -> None:
    message = _refusal({"dataset": dataset})
    assert "dataset_root" in message
    assert f"'{dataset}'" in message
    assert parse_config({"dataset": dataset, "dataset_root": "/data"}).dataset == dataset


def test_unknown_dataset_is_refused_with_the_known_ones() -> None:
    message = _refusal({"dataset": "cas"})
    assert all(f"'{name}'" in message for name in ("cas", *DATASET_SETTINGS))


def test_message_names_three_mistakes_and_counts_the_others() -> None:
    mistakes = {"n_islands": 0, "n_generations": -1, "seed": -1, "n_elites": -1}
    message = _refusal({"genetic": mistakes})
    assert sum(f"'genetic.{key}'" in message for key in mistakes) == 3
    assert message.endswith("(and 1 more)")


def test_message_begins_with_the_source() -> None:
    with pytest.raises(MerecError, match=r"^mine\.yaml: "):
        parse_config({"scaling": "minmax"}, "mine.yaml")


def test_whole_numbers_stand_for_numbers_with_a_point() -> None:
    config = parse_config({"genetic": {"C_values": [1, 10]}})
    assert config.genetic.C_values == (1.0, 10.0)


def test_section_in_use_is_that_of_the_dataset() -> None:
    config = parse_config({"dataset": "smic", "dataset_root": "/data", "smic": {"camera": "NIR"}})
    assert config.dataset_settings == SmicSettings(camera="NIR")


def test_what_is_written_as_json_is_read_again() -> None:
    config = parse_config(
        {
            "dataset": "manifest",
            "dataset_root": "/data",
            "manifest": {"labels": ["a", "b"]},
            "weights": {"face_mesh": "/weights/mesh"},
            "evaluation": {"methods": ["genetic+ensemble", "fisher"]},
            "inner": {"criterion": "mu"},
            "genetic": {"criterion": "pooled_uar", "n_inner_folds": 3},
        }
    )
    assert parse_config_json(config_json(config)) == config
    assert from_json(GeneticSettings, to_json(config.genetic)) == config.genetic
    settings = SimulatedSettings(peak_displacement_px=(0.5, 0.75), n_clips=5)
    assert from_json(SimulatedSettings, to_json(settings)) == settings


@pytest.mark.parametrize("text", ["{", "[1]", "3", '{"a": 1}'])
def test_configuration_that_is_no_json_of_one_is_refused(text: str) -> None:
    with pytest.raises(MerecError, match=r"^--settings: "):
        parse_config_json(text)


def test_selectors_take_from_inner_what_they_do_not_say() -> None:
    config = parse_config(
        {
            "inner": {"C_values": [1.0], "criterion": "mu", "n_inner_folds": 4},
            "genetic": {"criterion": "pooled_uf1"},
            "forward": {"n_inner_folds": None},
        }
    )
    assert config.genetic.criterion == "pooled_uf1"
    assert (config.genetic.C_values, config.genetic.n_inner_folds) == ((1.0,), 4)
    assert config.forward.n_inner_folds is None
    assert {getattr(config, name).C_values for name in SELECTOR_SECTIONS} == {(1.0,)}
    assert config.ranking.criterion == "mu"


def test_mistake_in_inner_is_said_once_and_by_its_own_key() -> None:
    message = _refusal({"inner": {"criterion": "mu_minus_varianc"}})
    assert "'inner.criterion'" in message
    assert message.endswith("did you mean 'mu_minus_variance'?")
    assert message.count("mu_minus_varianc'") == 1


@pytest.mark.parametrize(
    ("values", "nearest"),
    [
        ({"dataset": "smicc", "dataset_root": "x"}, "smic"),
        ({"scaling": "standart"}, "standard"),
        ({"faces": {"registration": "first_fram"}}, "first_frame"),
        ({"genetic": {"criterion": "pooled_uar1"}}, "pooled_uar"),
        ({"evaluation": {"methods": ["genetic+ensembl"]}}, "ensemble"),
        ({"evaluation": {"protocol": "subject_fold"}}, "subject_folds"),
    ],
)
def test_value_that_is_nearly_another_is_refused_with_it(
    values: dict[str, Any], nearest: str
) -> None:
    assert f"did you mean '{nearest}'?" in _refusal(values)


def test_section_of_another_dataset_does_nothing_and_is_refused() -> None:
    message = _refusal({"dataset": "smic", "dataset_root": "/d", "casme2": {"release": "cropped"}})
    assert "section 'casme2' does nothing under dataset 'smic'" in message


def test_former_key_is_refused_with_the_new_one() -> None:
    message = _refusal({"features": {"network": "lbp_top"}})
    assert "write 'features.extractor: lbp_top' now" in message


def test_number_that_yaml_takes_for_a_text_is_explained() -> None:
    values = yaml.safe_load("genetic: {mutation_rate: 1e-2}")
    assert "YAML takes 1.0e-2 for a number" in _refusal(values)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_are_finite(value: float) -> None:
    assert "'ant_colony.alpha'" in _refusal({"ant_colony": {"alpha": value}})


def test_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    config = parse_config({"dataset": "smic", "dataset_root": "~/data"})
    assert config.dataset_root == Path("/home/somebody/data")


def test_section_named_as_the_field_is_unknown() -> None:
    assert "unknown key 'dataset_settings'" in _refusal({"dataset_settings": {}})


def test_empty_json_means_the_defaults() -> None:
    assert from_json(GeneticSettings, "{}") == GeneticSettings()


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null", "n_islands=3"])
def test_settings_that_are_no_json_object_are_refused(text: str) -> None:
    with pytest.raises(MerecError, match=r"^--settings: 'settings'"):
        from_json(GeneticSettings, text)


def _config_file() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(CONFIG_FILE.read_text())
    return values


def _of_dataset(section: str) -> dict[str, Any]:
    """Return what must be set so that a dataset's section may be given."""
    return {"dataset": section, "dataset_root": "/data"} if section in DATASET_SETTINGS else {}


def _refusal(values: dict[str, Any]) -> str:
    with pytest.raises(MerecError) as caught:
        parse_config(values)
    return str(caught.value)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake's --configfile does: key by key, in sections too."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _keys_of_mapping(values: dict[str, Any]) -> list[str]:
    return [key for key, _ in _leaves(values)]


def _keys_of_dataclass(section: Any, prefix: str = "") -> Iterator[str]:
    for known in fields(section):
        value = getattr(section, known.name)
        if is_dataclass(value):
            yield from _keys_of_dataclass(value, f"{prefix}{known.name}.")
        else:
            yield prefix + known.name


@pytest.mark.parametrize(
    "values",
    [
        {"evaluation": {"methods": ["genetic", "genetic"]}},
        {"dataset": "cmu_faces", "dataset_root": "/d", "cmu_faces": {"poses": ["up", "up"]}},
        {"features": {"statistics": ["std", "std"]}},
        {"features": {"layer": ["features.4", "features.4"]}},
        {"inner": {"C_values": [1, 1.0]}},
        {"ranking": {"n_selected_values": [5, 5]}},
        {"sweep": {"statistics": [["mean", "std"], ["std", "mean"]]}},
        {"genetic": {"topology": "custom", "edges": [[0, 1], [0, 1]]}},
        {"dataset": "manifest", "dataset_root": "/d", "manifest": {"labels": ["a", "a"]}},
    ],
)
def test_value_that_is_named_twice_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(MerecError, match="must name each once"):
        parse_config(values)


@pytest.mark.parametrize(
    "values",
    [
        {"features": {"input": "differences", "statistics": ["std", "max_difference"]}},
        {
            "features": {"input": "differences", "extractor": "network"},
            "sweep": {"statistics": [["mean"], ["std", "max_difference"]]},
        },
    ],
)
def test_statistics_relative_to_the_onset_are_of_frames(values: dict[str, Any]) -> None:
    with pytest.raises(
        MerecError, match=r"hold max_difference, which needs input frames, found diff"
    ) as raised:
        parse_config(values)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ([], "'features.layer' is [], tuple should"),
        (3, "'features.layer' is 3, "),
        ([3], "layer.0'"),
    ],
)
def test_layer_is_a_name_or_a_list_of_names(layer: object, said: str) -> None:
    with pytest.raises(MerecError) as raised:
        parse_config({"features": {"layer": layer}})
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("layer", ["features.4", ["features.4", "features.18"], ["features.4"]])
def test_layers_are_recorded_as_they_are_written(layer: str | list[str]) -> None:
    features = parse_config({"features": {"layer": layer}}).features
    text = to_json(features)
    assert json.loads(text)["layer"] == layer
    assert from_json(FeatureSettings, text) == features
    assert list(features.layers) == ([layer] if isinstance(layer, str) else layer)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"topology": "custom"}, "edges are"),
        ({"edges": [[0, 1]]}, "edges are"),
        ({"topology": "custom", "edges": [[0, 9]]}, "edges name islands"),
        ({"topology": "full", "n_emigrants": 20}, "from each of 3 islands"),
        ({"topology": "torus", "n_emigrants": 13}, "from each of 4 islands"),
        ({"topology": "custom", "edges": [[1, 0], [2, 0]], "n_emigrants": 25}, "of 2 islands"),
        ({"topology": "custom", "edges": [[0, 0]]}, r"edges hold \[0, 0\]"),
        ({"topology": "custom", "edges": [[0, -1]]}, "edges name islands"),
        ({"n_inner_folds": 1}, "n_inner_folds"),
        ({"flat_window": 0}, "flat_window"),
    ],
)
def test_islands_that_cannot_be_are_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(MerecError, match=complaint):
        from_json(GeneticSettings, json.dumps(changes))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"inner": {"n_groupings": 3}}, "n_groupings is 3, must be 1 where n_inner_folds is null"),
        (
            {"inner": {"n_inner_folds": 4, "n_groupings": 3}, "forward": {"n_inner_folds": None}},
            "in 'forward': n_groupings is 3",
        ),
        ({"inner": {"n_groupings": 0}}, "'inner.n_groupings' is 0"),
        ({"inner": {"departure_penalty": -0.1}}, "'inner.departure_penalty' is -0.1"),
        ({"inner": {"departure_penalty": 1.5}}, "'inner.departure_penalty' is 1.5"),
        ({"inner": {"criterion": "balanced_hing"}}, "did you mean 'balanced_hinge'?"),
        (
            {
                "inner": {"criterion": "balanced_hinge"},
                "ant_colony": {"classifier": "random_forest"},
            },
            "in 'ant_colony': criterion is 'balanced_hinge', must be another with classifier",
        ),
    ],
)
def test_inner_scores_that_cannot_be_are_refused_in_one_line(
    values: dict[str, Any], complaint: str
) -> None:
    message = _refusal(values)
    assert complaint in message
    assert "\n" not in message


def test_inner_scores_that_can_be_are_taken() -> None:
    config = parse_config(
        {
            "inner": {"criterion": "balanced_log_loss", "departure_penalty": 0.02},
            "ant_colony": {"classifier": "random_forest"},
            "genetic": {"n_inner_folds": 4, "n_groupings": 3},
            "sweep": {"criteria": ["balanced_hinge", "mu"]},
        }
    )
    assert config.ant_colony.criterion == "balanced_log_loss"
    assert config.genetic.n_groupings == 3
    assert (config.forward.n_groupings, config.forward.departure_penalty) == (1, 0.02)


def test_settings_of_islands_come_back_as_they_were() -> None:
    settings = from_json(GeneticSettings, '{"topology": "custom", "edges": [[0, 1], [2, 3]]}')
    assert settings.edges == ((0, 1), (2, 3))
    assert from_json(GeneticSettings, to_json(settings)) == settings


def test_datasets_page_shows_every_key_of_every_section_with_its_default() -> None:
    page = (REPOSITORY / "docs" / "datasets.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = {name: section for block in blocks for name, section in yaml.safe_load(block).items()}
    assert shown == {name: json.loads(to_json(kind())) for name, kind in DATASET_SETTINGS.items()}


def test_datasets_page_explains_every_key_in_a_comment() -> None:
    page = (REPOSITORY / "docs" / "datasets.md").read_text()
    for block in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        lines = block.splitlines()
        for above, line in pairwise(lines[1:]):
            assert line.lstrip().startswith("#") or above.lstrip().startswith("#"), line


def test_a_great_number_of_islands_takes_no_memory_to_check() -> None:
    assert from_json(GeneticSettings, '{"n_islands": 1000000000}').n_islands == 10**9


def test_key_that_is_like_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        MerecError, match=r"unknown key 'inner\.zzz'; known are C_values, criterion"
    ):
        parse_config({"inner": {"zzz": 1}})


@pytest.mark.parametrize("dataset", [["smic"], {"a": 1}, 3, None, "SMIC"])
def test_dataset_that_is_none_is_one_clear_line(dataset: object) -> None:
    with pytest.raises(MerecError, match="dataset") as caught:
        parse_config({"dataset": dataset, "dataset_root": "/d", "smic": {}})
    assert "\n" not in str(caught.value)


def test_case_is_no_obstacle_to_the_nearest() -> None:
    with pytest.raises(MerecError, match="did you mean 'smic'"):
        parse_config({"dataset": "SMIC", "dataset_root": "/d"})
    values = {"dataset": "smic", "dataset_root": "/d", "smic": {"camera": "vis"}}
    with pytest.raises(MerecError, match="did you mean 'VIS'"):
        parse_config(values)


def test_word_that_yaml_takes_for_false_is_explained() -> None:
    with pytest.raises(MerecError, match="YAML takes on, off, yes and no for true or false"):
        parse_config({"faces": {"registration": False}})


def test_values_that_hold_themselves_are_refused() -> None:
    turning: list[object] = []
    turning.append(turning)
    for values in ({"experiment": turning}, {"inner": {"C_values": turning}}):
        with pytest.raises(MerecError, match="plain values expected"):
            parse_config(values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("min_clips", "kappa"), [(3, 1.0), (2, 0.1), (9, 1e-7), (4, 123456789.5)])
def test_text_of_a_scaling_is_read_again_and_says_no_more_than_has_an_effect(
    kind: ScalingKind, min_clips: int, kappa: float
) -> None:
    text = scaling_text(kind, CalibrationSettings(min_clips=min_clips, kappa=kappa))
    found = parse_scaling(text)
    assert (found.kind, found.text) == (kind, text)
    assert found.is_transductive == ("min_clips=" in text) == kind.startswith("transductive_")
    assert found.min_clips == (min_clips if found.is_transductive else 3)
    assert found.kappa == (kappa if kind == "transductive_shrunk" else 1.0)


def test_what_the_text_of_a_scaling_does_not_say_has_its_default() -> None:
    assert parse_scaling("standard") == ScalingSettings()
    assert parse_scaling("transductive_full").text == "transductive_full,min_clips=3"
    shrunk = ScalingSettings(kind="transductive_shrunk", kappa=2.0)
    assert parse_scaling("transductive_shrunk,kappa=2") == shrunk
    assert shrunk.text == "transductive_shrunk,min_clips=3,kappa=2.0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("standart", "found 'standart'; did you mean 'standard'?"),
        ("transductive", "found 'transductive'; did you mean 'transductive_full'?"),
        ("", "'standard', 'transductive_full', 'transductive_shrunk' expected, found ''"),
        ("none,min_clips=3", "nothing after 'none' expected, found 'min_clips=3'"),
        ("transductive_full,kappa=1.0", "min_clips=NUMBER after 'transductive_full' expected"),
        ("transductive_shrunk,kapa=1.0", "did you mean 'kappa'?"),
        ("transductive_shrunk,kappa=1,kappa=2", "min_clips=NUMBER after"),
        ("transductive_shrunk,", "min_clips=NUMBER or kappa=NUMBER after"),
        ("transductive_full,min_clips=1", "'min_clips' is 1"),
        ("transductive_full,min_clips=3.5", "'min_clips' is 3.5"),
        ("transductive_full,min_clips", "'min_clips' is ''"),
        ("transductive_shrunk,kappa=0", "'kappa' is 0"),
        ("transductive_shrunk,kappa=NaN", "kappa"),
        ("transductive_shrunk,kappa=1e999", "kappa"),
        ("transductive_shrunk,kappa=a\nb", "kappa"),
    ],
)
def test_wrong_text_of_a_scaling_is_one_line(text: str, words: str) -> None:
    with pytest.raises(MerecError) as caught:
        parse_scaling(text, "a.h5")
    message = str(caught.value)
    assert message.startswith("a.h5: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["genetic (transductive)", "genetic+ensemble (transductive)"])
def test_name_of_a_transductive_method_is_read_but_not_asked_for(name: str) -> None:
    method = Method.parse(name)
    assert (method.selector, method.is_transductive) == ("genetic", True)
    assert str(method) == name
    plain = name.removesuffix(" (transductive)")
    assert replace(method, is_transductive=False) == Method.parse(plain) == Method.wanted(plain)
    for section in ("evaluation", "permutation"):
        message = _refusal({section: {"methods": [name]}})
        assert f"'{plain}' expected: features, scaling and rules" in message


@pytest.mark.parametrize(
    ("bias", "values"),
    [("none", (0.0,)), (0.3, (0.3,)), (1, (1.0,)), (["none", 0.03, 3], (0.0, 0.03, 3.0))],
)
def test_every_selector_takes_the_bias_of_the_svm_and_may_have_its_own(
    bias: object, values: tuple[float, ...]
) -> None:
    config = parse_config({"svm": {"bias": bias}, "forward": {"bias": [2.0, "none"]}})
    found = {name: getattr(config, name).bias for name in SELECTOR_SECTIONS}
    assert found.pop("forward") == (2.0, 0.0)
    assert set(found.values()) == {values} == {config.svm.bias}
    assert parse_config_json(config_json(config)) == config


@pytest.mark.parametrize(
    ("bias", "complaint"),
    [
        (-0.1, "'none' or a number above 0 expected, found -0.1"),
        ("None", "'none' or a number above 0 expected, found 'None'"),
        (True, "'none' or a number above 0 expected, found True"),
        (None, "'none' or a number above 0 expected, found None"),
        (["none", "x"], "'none' or a number above 0 expected, found 'x'"),
        ([], "found an empty list"),
        ([0.3, 0.1, 0.3], "must name each once"),
    ],
)
def test_what_is_no_bias_is_refused(bias: object, complaint: str) -> None:
    message = _refusal({"svm": {"bias": bias}})
    assert "'svm.bias'" in message
    assert complaint in message


def test_bias_is_no_key_of_inner() -> None:
    assert "unknown key 'inner.bias'" in _refusal({"inner": {"bias": "none"}})
