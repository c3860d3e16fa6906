"""Checks what the estimators are given: a wrong value is one line of a ``ValueError``."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from merec_hpc.config.base import from_json, nearest
from merec_hpc.errors import MerecError

Choice = TypeVar("Choice", bound=str)
Section = TypeVar("Section")


def choice(name: str, value: object, known: Iterable[Choice], *others: str) -> Choice:
    """Return a parameter that is one of some texts.

    Parameters
    ----------
    others
        What else it might have been, for the message.

    Raises
    ------
    ValueError
        If it is none of them; with the nearest of a misspelt one.
    """
    names = list(known)
    if isinstance(value, str):
        for one in names:
            if one == value:
                return one
    possible: list[str] = [*names, *others]
    *most, last = possible
    expected = f"{', '.join(most)} or {last}" if most else last
    close = nearest(value, names) if isinstance(value, str) else ""
    msg = f"{name}: {expected} expected, found {value!r}{close}"
    raise ValueError(" ".join(msg.split()))


def count_or_none(name: str, value: object, least: int) -> int | None:
    """Return a parameter that is ``None`` or a whole number of at least ``least``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if value is None:
        return None
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least:
        return int(value)
    msg = f"{name}: a whole number of at least {least} or none expected, found {value!r}"
    raise ValueError(" ".join(msg.split()))


def switch(name: str, value: object) -> bool:
    """Return a parameter that is on or off; numbers count as in scikit-learn, 0 is off.

    Raises
    ------
    ValueError
        If it is something else, such as the text "no".
    """
    if isinstance(value, bool | int | np.bool_ | np.integer):
        return bool(value)
    msg = f"{name}: True or False expected, found {value!r}"
    raise ValueError(" ".join(msg.split()))


def functions(name: str, value: object) -> Sequence[Callable[..., Any]]:
    """Return a parameter that is a list of functions; ``None`` is an empty one.

    Raises
    ------
    ValueError
        If it is a single function, or holds anything else.
    """
    if value is None:
        return ()
    if isinstance(value, Sequence) and all(callable(one) for one in value):
        return value
    wrong = (
        value if not isinstance(value, Sequence) else [one for one in value if not callable(one)]
    )
    msg = f"{name}: a list of functions expected, found {wrong!r}"
    raise ValueError(" ".join(msg.split()))


def settings_of(kind: type[Section], owner: str, values: Mapping[str, object]) -> Section:
    """Return settings of parameters, checked as those of a command are.

    Lists, tuples and arrays are alike, and so are numbers of Python and NumPy.

    Parameters
    ----------
    owner
        Whose parameters they are, for messages.

    Raises
    ------
    ValueError
        If a value is ill-typed or out of range: the command's one line.
    """
    plain = {name: _plain(f"{owner}: '{name}'", value) for name, value in values.items()}
    try:
        return from_json(kind, json.dumps(plain), owner)
    except MerecError as error:
        raise ValueError(str(error)) from None


def _plain(what: str, value: object) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(f"{what}, {key}", one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [_plain(what, one) for one in value]
    msg = f"{what}: numbers, texts or lists of them expected, found a {type(value).__name__}"
    raise ValueError(msg)
