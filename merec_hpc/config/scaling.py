"""How features are scaled, and the text by which options and files say so."""

import json
from dataclasses import fields
from typing import Any, Literal, get_args

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Positive, from_json, nearest
from merec_hpc.errors import MerecError

ScalingKind = Literal["none", "standard", "transductive_full", "transductive_shrunk"]
KINDS: tuple[ScalingKind, ...] = get_args(ScalingKind)

_KEYS: dict[str, tuple[str, ...]] = {
    "transductive_full": ("min_clips",),
    "transductive_shrunk": ("min_clips", "kappa"),
}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CalibrationSettings:
    """How each subject's own mean is removed, under the transductive kinds of scaling."""

    min_clips: int = Field(default=3, ge=2)
    """A subject with fewer clips is not calibrated."""
    kappa: Positive = 1.0
    """What the variance between subjects is multiplied by: more of it removes more of a mean."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ScalingSettings(CalibrationSettings):
    """How features are scaled: what ``--scaling`` says."""

    kind: ScalingKind = "standard"

    @property
    def is_transductive(self) -> bool:
        """Whether the unlabelled clips of whom is predicted have a part in the map."""
        return self.kind in _KEYS

    @property
    def text(self) -> str:
        """What ``parse_scaling`` reads: the kind, and all that has an effect under it."""
        told = [f"{key}={getattr(self, key)}" for key in _KEYS.get(self.kind, ())]
        return ",".join([self.kind, *told])


UNSCALED = ScalingSettings(kind="none")
STANDARD = ScalingSettings(kind="standard")


def scaling_of(kind: ScalingKind, calibration: CalibrationSettings) -> ScalingSettings:
    """Return what two sections of the configuration say together."""
    values = {key.name: getattr(calibration, key.name) for key in fields(CalibrationSettings)}
    return ScalingSettings(kind=kind, **values)


def scaling_text(kind: ScalingKind, calibration: CalibrationSettings) -> str:
    """Return a scaling as it travels: in ``--scaling``, and in the file of a selection.

    A kind alone, or as ``transductive_shrunk,min_clips=3,kappa=1.0``.
    """
    return scaling_of(kind, calibration).text


def parse_scaling(text: str, source: str = "--scaling") -> ScalingSettings:
    """Read what ``scaling_text`` wrote; a key that is not said has its default.

    Raises
    ------
    MerecError
        If there is no such kind, a key does nothing under it, or a value is out of range.
    """
    kind, *told = text.split(",")
    if kind not in KINDS:
        expected = ", ".join(f"'{one}'" for one in KINDS)
        msg = f"{source}: one of {expected} expected, found '{kind}'{nearest(kind, KINDS)}"
        raise MerecError(msg)
    values: dict[str, Any] = {"kind": kind}
    for one in told:
        key, _, value = one.partition("=")
        known = [name for name in _KEYS.get(kind, ()) if name not in values]
        if key not in known:
            expected = " or ".join(f"{name}=NUMBER" for name in known) or "nothing"
            msg = f"{source}: {expected} after '{kind}' expected, found '{one}'"
            raise MerecError(msg + nearest(key, known))
        values[key] = _number(value)
    return from_json(ScalingSettings, json.dumps(values), source)


def _number(text: str) -> object:
    """Return the number that a text is, or the text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
