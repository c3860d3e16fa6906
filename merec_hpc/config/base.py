"""What all sections of the configuration are made with: kinds of values, and JSON."""

import difflib
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from merec_hpc.errors import MerecError

STRICT = ConfigDict(extra="forbid", strict=True)
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
ScalingName = Literal["none", "standard"]
ClassifierName = Literal["linear_svm", "random_forest"]
Oversampling = Literal["none", "smote"]
ClassWeight = Literal["none", "balanced"]
Section = TypeVar("Section")


def check_distinct(key: str, values: tuple[str, ...] | list[str]) -> None:
    """Raise a ``ValueError`` if a value is named twice."""
    if len(set(values)) < len(values):
        msg = f"{key} is {', '.join(values)}, must name each once"
        raise ValueError(msg)


def to_json(section: object) -> str:
    """Return a section as the text of ``--settings``, defaults included."""
    return TypeAdapter(type(section)).dump_json(section).decode()


def from_json(kind: type[Section], text: str, source: str = "--settings") -> Section:
    """Validate the text of ``--settings``.

    JSON, since pydantic's strict mode then takes a list for a tuple and text for a path,
    but still refuses ``"3"`` and ``true`` for an integer.
    """
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        msg = f"{source}: {_explain(kind, error)}"
        raise MerecError(msg) from None


def _explain(kind: type, error: ValidationError) -> str:
    """Say in one line what the first error is, and how many more there are."""
    first, *others = error.errors()
    location = [str(part) for part in first["loc"]]
    key = ".".join(location) or "settings"
    if first["type"] == "unexpected_keyword_argument":
        known = _known_keys(kind, location[:-1])
        nearest = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.0)
        said = f"unknown key '{key}'; did you mean '{'.'.join([*location[:-1], *nearest])}'?"
    elif first["type"] == "value_error":
        said = str(first["ctx"]["error"])
        said = f"in '{key}': {said}" if location else said
    else:
        said = f"'{key}' is {first['input']!r}, {_lower(first['msg'])}"
    return said + (f" (and {len(others)} more)" if others else "")


def _known_keys(kind: type, path: Sequence[str]) -> list[str]:
    """Return the keys of the section that ``path`` leads to."""
    for part in path:
        kinds = {known.name: known.type for known in fields(kind)}
        found = kinds.get(part)
        kind = found if isinstance(found, type) else next(iter(get_args(found)), object)
        if not is_dataclass(kind):
            return []
    return [known.name for known in fields(kind)]


def _lower(sentence: str) -> str:
    """Return a sentence of pydantic's as a part of ours."""
    return sentence[:1].lower() + sentence[1:]
