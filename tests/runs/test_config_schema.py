"""Whether the JSON schema of the configuration is current, and takes what the code takes."""

import json
import runpy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from conftest import REPOSITORY
from jsonschema import Draft202012Validator

from merec_hpc.config.datasets import DATASET_SETTINGS
from merec_hpc.config.whole import Config, config_json
from merec_hpc.metrics import METRICS
from merec_hpc.runs.config_schema import config_schema, described
from merec_hpc.selection.selectors import SELECTORS

FILES = [REPOSITORY / "config.yaml", *sorted((REPOSITORY / "config").glob("*.yaml"))]
VALIDATOR = Draft202012Validator(config_schema())


def test_file_is_current() -> None:
    script = runpy.run_path(str(REPOSITORY / "docs" / "make_config_schema.py"))
    written = (REPOSITORY / "docs" / "config.schema.json").read_text(encoding="utf-8")
    assert written == script["schema_text"](), "make docs"


def test_config_file_points_editors_to_the_schema() -> None:
    first = FILES[0].read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=docs/config.schema.json"


def test_schema_is_one() -> None:
    Draft202012Validator.check_schema(config_schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ready_configuration_is_valid(path: Any) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_defaults_are_valid() -> None:
    VALIDATOR.validate(json.loads(config_json(Config())))


@pytest.mark.parametrize("dataset", DATASET_SETTINGS)
def test_section_of_each_dataset_is_known(dataset: str) -> None:
    VALIDATOR.validate({"dataset": dataset, dataset: {}})
    assert not VALIDATOR.is_valid({"dataset": dataset, dataset: {"misspelt": 1}})


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("decider", ["", "+champion", "+hall_of_fame", "+ensemble"])
def test_every_selector_is_a_method_with_and_without_a_decider(selector: str, decider: str) -> None:
    VALIDATOR.validate({"evaluation": {"methods": [selector + decider]}})
    VALIDATOR.validate({"permutation": {"methods": [selector + decider]}})


@pytest.mark.parametrize("metric", METRICS)
def test_pooled_criterion_of_every_metric_is_known(metric: str) -> None:
    VALIDATOR.validate({"inner": {"criterion": f"pooled_{metric.lower()}"}})


@pytest.mark.parametrize(
    "values",
    [
        {"experimnt": "a"},
        {"dataset": "smik"},
        {"dataset_settings": {}},
        {"dataset": "casme2", "smic": {}},
        {"smic": {"camera": "UV"}},
        {"smic": {"scheme": "smic-4"}},
        {"weights": {"vgg_face": "file"}},
        {"weights": {"face_mesh": 1}},
        {"faces": {"size": 64}},
        {"features": {"network": "lbp_top"}},
        {"features": {"extractor": "sift"}},
        {"inner": {"criterion": "best"}},
        {"inner": {"C_values": []}},
        {"genetic": {"criterion": "best"}},
        {"genetic": {"n_islands": "3"}},
        {"genetic": {"n_islands": True}},
        {"genetic": {"mutation_rate": 1.5}},
        {"sweep": {"criteria": ["best"]}},
        {"sweep": {"networks": ["vgg"]}},
        {"evaluation": {"methods": ["genetics"]}},
        {"evaluation": {"methods": ["genetic+vote"]}},
        {"evaluation": {"methods": []}},
        {"evaluation": {"methods": "genetic"}},
    ],
)
def test_mistake_is_not_valid(values: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(values)


def test_no_section_takes_unknown_keys() -> None:
    schema = config_schema()
    # What a block may set is known by its extractor.
    del schema["$defs"]["FeatureBlock"]["properties"]["settings"]
    assert all(one["additionalProperties"] is False for one in _objects(schema))


def test_comments_become_descriptions() -> None:
    text = """
# Of the whole
# experiment.
experiment: demo

# How it searches.
genetic:
  # Beside
  #   each other.
  n_islands: 4
  seed: 0  # a number

inner:
  # A measure.
  criterion: mu
"""
    schema = described(config_schema(), text)
    genetic = schema["$defs"]["GeneticSettings"]["properties"]
    assert schema["properties"]["experiment"]["description"] == "Of the whole experiment."
    assert schema["properties"]["genetic"]["description"] == "How it searches."
    assert genetic["n_islands"]["description"] == "Beside each other."
    assert genetic["seed"]["description"] == "a number"
    assert genetic["criterion"]["description"] == "A measure."
    assert "description" not in genetic["founders"]


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield all schemas of mappings with keys."""
    if isinstance(schema, list):
        for one in schema:
            yield from _objects(one)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for one in schema.values():
            yield from _objects(one)
