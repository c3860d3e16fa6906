"""Reads a configuration as Snakemake does: files in turn, then single keys."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from merec_hpc.config.whole import Config, parse_config
from merec_hpc.errors import MerecError
from merec_hpc.runs.checks import check_config

DEFAULT_FILES = [Path("config.yaml")]


def read_config(files: Sequence[Path], keys: Sequence[str]) -> Config:
    """Return the configuration that Snakemake would make of these.

    Raises
    ------
    MerecError
        If a file is missing or is no mapping in YAML, or a key or value makes no sense: see
        ``check_config``.
    """
    merged: dict[str, Any] = {}
    for path in files:
        _merge(merged, read_mapping(path))
    for key in keys:
        name, equals, value = key.partition("=")
        if not equals:
            msg = f"--config: KEY=VALUE expected, found '{key}'"
            raise MerecError(msg)
        _merge(merged, {name: _read_value(key, value)})
    config = parse_config(merged, ", ".join(map(str, files)))
    check_config(config)
    return config


def _read_value(key: str, value: str) -> Any:
    try:
        return yaml.load(value, _OnceEachLoader)  # a safe one
    except (yaml.YAMLError, _TwiceError) as error:
        said = " ".join(str(error).split())
        msg = f"--config: a value in YAML expected in '{key}', found: {said}"
        raise MerecError(msg) from None


def read_mapping(path: Path) -> Mapping[str, Any]:
    """Return the keys of one file.

    Raises
    ------
    MerecError
        If it is missing, is no mapping in YAML, or names a key twice.
    """
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _OnceEachLoader)  # a safe one
    except FileNotFoundError:
        msg = f"{path}: a configuration expected, found no such file"
        raise MerecError(msg) from None
    except OSError as error:
        msg = f"{path}: a configuration expected, found: {error.strerror}"
        raise MerecError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: a mapping in YAML expected, found: {str(error).splitlines()[0]}"
        raise MerecError(msg) from None
    except _TwiceError as error:
        msg = f"{path}: each key once expected, found {error}"
        raise MerecError(msg) from None
    odd = [key for key in found if not isinstance(key, str)] if isinstance(found, dict) else []
    if odd:
        msg = f"{path}: names expected for keys, found {odd[0]}, which YAML takes for no text"
        raise MerecError(msg)
    if not isinstance(found, dict):
        msg = f"{path}: a mapping in YAML expected, found {type(found).__name__}"
        raise MerecError(msg)
    return found


class _TwiceError(Exception):
    """A key that stands twice in a mapping."""


class _OnceEachLoader(yaml.SafeLoader):
    """YAML's own loader takes the last of equal keys without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping whose keys all differ."""
        lines: dict[object, int] = {}
        for key_node, _ in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                msg = f"a name expected for a key, found a list or mapping in line {line}"
                raise yaml.YAMLError(msg)
            if key in lines:
                msg = f"'{key}' in line {lines[key]} and again in line {line}"
                raise _TwiceError(msg)
            lines[key] = line
        return super().construct_mapping(node, deep)


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Let values prevail, section by section."""
    for key, value in values.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        else:
            into[key] = value
