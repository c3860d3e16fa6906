"""Reads a configuration as Snakemake does: files in turn, then single keys."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from merec_hpc.config.whole import Config, parse_config
from merec_hpc.errors import MerecError

DEFAULT_FILES = [Path("config.yaml")]


def read_config(files: Sequence[Path], keys: Sequence[str]) -> Config:
    """Return the configuration that Snakemake would make of these.

    Raises
    ------
    MerecError
        If a file is missing or is no mapping in YAML, or a key or value makes no sense.
    """
    merged: dict[str, Any] = {}
    for path in files:
        _merge(merged, _mapping(path))
    for key in keys:
        name, equals, value = key.partition("=")
        if not equals:
            msg = f"--config: KEY=VALUE expected, found '{key}'"
            raise MerecError(msg)
        _merge(merged, {name: yaml.safe_load(value)})
    return parse_config(merged, ", ".join(map(str, files)))


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{path}: a configuration expected, found no such file"
        raise MerecError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: a mapping in YAML expected, found: {str(error).splitlines()[0]}"
        raise MerecError(msg) from None
    if not isinstance(found, dict):
        msg = f"{path}: a mapping in YAML expected, found {type(found).__name__}"
        raise MerecError(msg)
    return found


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Let values prevail, section by section."""
    for key, value in values.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        else:
            into[key] = value
