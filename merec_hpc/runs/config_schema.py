"""Makes the JSON schema of a configuration, by which editors complete and check its keys."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from merec_hpc.config.datasets import DATASET_SETTINGS
from merec_hpc.config.evaluation import DECIDERS
from merec_hpc.config.selection import told_bias
from merec_hpc.config.whole import DATASET_SECTION, Config
from merec_hpc.criteria import criteria_names
from merec_hpc.dataset.schemes import SCHEMES
from merec_hpc.features.extractors import EXTRACTORS
from merec_hpc.networks.registry import frame_networks
from merec_hpc.networks.weights import weight_names
from merec_hpc.selection.selectors import SELECTORS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFINED = "#/$defs/"
_KEY = re.compile(r"^(?P<indent> *)(?P<key>\w+):(?P<value>.*)$")


def config_schema() -> Schema:
    """Return the schema of ``config.yaml``, or of a file that states only what differs.

    It knows the names that the registries hold and the section of each dataset. What involves
    several keys or the disk, ``runs.checks`` knows alone; only that the section of a dataset
    needs that dataset is said here as well.
    """
    kinds = {"": Config, **DATASET_SETTINGS}
    asked: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (name, "validation", TypeAdapter(kind)) for name, kind in kinds.items()
    ]
    found, shared = TypeAdapter.json_schemas(asked, ref_template=_DEFINED + "{model}")
    definitions: Schema = shared["$defs"]
    whole = definitions.pop(Config.__name__)
    properties: Schema = whole["properties"]
    del properties[DATASET_SECTION]
    properties.update({name: found[name, "validation"] for name in DATASET_SETTINGS})
    properties["weights"] = _weights()
    for section in [whole, *definitions.values()]:
        for key, known in section["properties"].items():
            if key in _NAMES:
                _NAMES[key](known)
    rules = [_only_of(name) for name in DATASET_SETTINGS]
    schema = {"$schema": DIALECT, **whole, "allOf": rules, "$defs": definitions}
    return {key: _without_titles(value) for key, value in schema.items() if key != "title"}


def described(schema: Schema, text: str) -> Schema:
    """Return a schema whose descriptions are the comments of a configuration in YAML."""
    said = _comments(text)
    properties = {
        key: _with_description(known, said.get(key)) for key, known in schema["properties"].items()
    }
    definitions = dict(schema["$defs"])
    for section, known in properties.items():
        name = known.get("$ref", "").removeprefix(_DEFINED)
        if name:
            keys = {
                key: _with_description(one, _said_of(key, said, (section, "inner", "svm")))
                for key, one in definitions[name]["properties"].items()
            }
            definitions[name] = {**definitions[name], "properties": keys}
    return {**schema, "properties": properties, "$defs": definitions}


def _said_of(key: str, said: Mapping[str, str], sections: Iterable[str]) -> str | None:
    """Return the comment of a key in the first of some sections that has one."""
    found = [said[name] for name in (f"{one}.{key}" for one in sections) if name in said]
    return found[0] if found else None


def _one_of(names: Iterable[str]) -> Callable[[Schema], None]:
    """Return what makes a key, or the items of a list, one of these names."""

    def restrict(schema: Schema) -> None:
        target = schema.get("items", schema)
        target.pop("pattern", None)
        is_optional = target.pop("anyOf", None) is not None
        target["enum"] = [*names, None] if is_optional else list(names)

    return restrict


def _methods(schema: Schema) -> None:
    """Let the items of a list be selectors, each alone or with a decider."""
    pattern = rf"^({'|'.join(SELECTORS)})\+({'|'.join(DECIDERS)})$"
    schema["items"] = {"anyOf": [{"enum": list(SELECTORS)}, {"pattern": pattern}]}
    schema["items"]["type"] = "string"
    schema["default"] = [method["selector"] for method in schema["default"]]


def _bias(schema: Schema) -> None:
    """State the default as it is written."""
    schema["default"] = told_bias(tuple(schema["default"]))


_NAMES: Mapping[str, Callable[[Schema], None]] = {
    "dataset": _one_of(DATASET_SETTINGS),
    "scheme": _one_of(SCHEMES),
    "extractor": _one_of(EXTRACTORS),
    "network": _one_of(frame_networks()),
    "networks": _one_of(frame_networks()),
    "criterion": _one_of(criteria_names()),
    "criteria": _one_of(criteria_names()),
    "bias": _bias,
    "methods": _methods,
}
"""What of a key pydantic does not know, in whatever section it stands."""


def _weights() -> Schema:
    """Return the schema of the section ``weights``."""
    file = {"anyOf": [{"type": "string", "format": "path"}, {"type": "null"}]}
    names = weight_names()
    return {
        "type": "object",
        "properties": dict.fromkeys(names, file),
        "additionalProperties": False,
    }


def _only_of(dataset: str) -> Schema:
    """Return the rule that the section of a dataset needs that dataset, if one is named."""
    return {
        "if": {"required": [dataset]},
        "then": {"properties": {"dataset": {"const": dataset}}},
    }


def _without_titles(schema: Any) -> Any:
    """Return a schema without the titles that pydantic makes of the keys."""
    if isinstance(schema, list):
        return [_without_titles(one) for one in schema]
    if isinstance(schema, dict):
        return {
            key: _without_titles(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    return schema


def _with_description(schema: Schema, said: str | None) -> Schema:
    return {**schema, "description": said} if said else schema


def _comments(text: str) -> dict[str, str]:
    """Return the comment of each key, as ``section.key``: the one beside it or the last above."""
    found, section, above = {}, "", list[str]()
    for is_comment, line in _lines(text):
        if is_comment:
            above.append(line)
        elif known := _KEY.match(line):
            key = known["key"]
            if known["indent"]:
                key = f"{section}.{key}"
            else:
                section = key
            beside = known["value"].partition(" # ")[2]
            if beside or above:
                found[key] = beside or " ".join(above)
        else:
            above = []
    return found


def _lines(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the lines, whether each is a comment; an empty one before comments that begin anew."""
    was_comment = False
    for line in text.splitlines():
        bare = line.strip()
        is_comment = bare.startswith("#")
        if is_comment and not was_comment:
            yield False, ""
        yield is_comment, bare.removeprefix("#").strip() if is_comment else line
        was_comment = is_comment
