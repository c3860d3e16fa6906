"""What all sections of the configuration are made with: kinds of values, and JSON."""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from merec_hpc.errors import MerecError

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
ScalingName = Literal["none", "standard"]
ClassifierName = Literal["linear_svm", "random_forest"]
Oversampling = Literal["none", "smote"]
ClassWeight = Literal["none", "balanced"]
Section = TypeVar("Section")

_MOST_SAID = 3  # mistakes that one line names
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BRANCHES = frozenset({"str", "tuple[str, ...]"})
"""What pydantic appends to a key that takes a text or a list: which of them it tried."""


def expanded(path: Path) -> Path:
    """Return a path with its ``~`` replaced by the home folder that it stands for."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        msg = f"{path}: {error}"
        raise ValueError(msg) from None


UserPath = Annotated[Path, AfterValidator(expanded)]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` if a known name is like this one, else an empty text."""
    by_case = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(name.casefold(), list(by_case), n=1)
    return f"; did you mean '{by_case[found[0]]}'?" if found else ""


def check_known(what: str, name: str, known: Collection[str]) -> str:
    """Return a name, or raise a ``ValueError`` that names all that are known, and the nearest."""
    if name not in known:
        listed = ", ".join(f"'{one}'" for one in known)
        msg = f"{what} is '{name}', one of {listed} expected{nearest(name, known)}"
        raise ValueError(msg)
    return name


def check_distinct(key: str, values: tuple[str, ...] | list[str]) -> None:
    """Raise a ``ValueError`` if a value is named twice."""
    if len(set(values)) < len(values):
        msg = f"{key} is {', '.join(values)}, must name each once"
        raise ValueError(msg)


def to_json(section: object) -> str:
    """Return a section as the text of ``--settings``, defaults included."""
    return TypeAdapter(type(section)).dump_json(section).decode()


def from_json(
    kind: type[Section],
    text: str,
    source: str = "--settings",
    *,
    within: str = "",
    others: Collection[str] = (),
) -> Section:
    """Validate the text of ``--settings``.

    JSON, since pydantic's strict mode then takes a list for a tuple and text for a path,
    but still refuses ``"3"`` and ``true`` for an integer.

    Parameters
    ----------
    within
        The section's name, which stands before its keys in messages.
    others
        Keys that are known beside those of ``kind``, for the nearest of a misspelt one.

    Raises
    ------
    MerecError
        If a key is unknown, ill-typed or out of range.
    """
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        msg = f"{source}: {_explain(kind, error, within, others)}"
        raise MerecError(msg) from None


def _explain(kind: type, error: ValidationError, within: str, others: Collection[str]) -> str:
    """Say in one line what each of the errors is."""
    errors = error.errors()
    # A list is called too short when its only item is wrong: the item's own error says more.
    outer = {one["loc"][:count] for one in errors for count in range(1, len(one["loc"]))}
    said = [_explain_one(kind, one, within, others) for one in errors if one["loc"] not in outer]
    shown = said[:_MOST_SAID]
    more = f" (and {len(said) - len(shown)} more)" if len(said) > len(shown) else ""
    return "; ".join(dict.fromkeys(shown)) + more


def _explain_one(kind: type, error: Any, within: str, others: Collection[str]) -> str:
    inner = [str(part) for part in error["loc"] if part not in _BRANCHES]
    location = [within, *inner] if within else inner
    key = ".".join(location) or "settings"
    if error["type"] == "unexpected_keyword_argument":
        known = [*_known_keys(kind, inner[:-1]), *(others if len(inner) == 1 else ())]
        return f"unknown key '{key}'" + _nearest_key(kind, location[:-1], inner[-1], known)
    if error["type"] == "value_error":
        said = str(error["ctx"]["error"])
        return f"in '{key}': {said}" if location else said
    said = f"'{key}' is {error['input']!r}, {_lower(error['msg'])}"
    if error["type"] == "literal_error" and isinstance(error["input"], str):
        said += nearest(error["input"], re.findall(r"'([^']*)'", error["ctx"]["expected"]))
    elif error["type"] == "literal_error" and isinstance(error["input"], bool):
        said += " (YAML takes on, off, yes and no for true or false: write 'off' in quotes)"
    elif isinstance(error["input"], str) and _NUMBER.fullmatch(error["input"]):
        said += " (a text: YAML takes 1.0e-2 for a number, but not 1e-2 or '3')"
    return said


def _nearest_key(kind: type, above: Sequence[str], name: str, known: Sequence[str]) -> str:
    """Return the nearest key beside one that is unknown, or where a section has a key so called."""
    if name not in known and not above:
        for section in known:
            if name in _known_keys(kind, [section]):
                return f"; did you mean '{section}.{name}'?"
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if found:
        return f"; did you mean '{'.'.join([*above, *found])}'?"
    return f"; known are {', '.join(known)}" if known else ""


def _known_keys(kind: type, path: Sequence[str]) -> list[str]:
    """Return the keys of the section that ``path`` leads to."""
    for part in path:
        if not is_dataclass(kind):
            return []
        kinds = {known.name: known.type for known in fields(kind)}
        found = kinds.get(part)
        kind = found if isinstance(found, type) else next(iter(get_args(found)), object)
        if not is_dataclass(kind):
            return []
    return [known.name for known in fields(kind)]


def _lower(sentence: str) -> str:
    """Return a sentence of pydantic's as a part of ours."""
    return sentence[:1].lower() + sentence[1:]
