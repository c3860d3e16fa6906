"""Makes classes of annotated emotions, by named schemes with the counts that were published."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from merec_hpc.config.base import nearest
from merec_hpc.dataset.clip import Clip
from merec_hpc.errors import MerecError


@dataclass(frozen=True)
class Scheme:
    """Which emotion becomes which class, and how many clips of each there should be."""

    classes: tuple[str, ...]
    """In the order in which they are numbered."""
    members: Mapping[str, tuple[str, ...]]
    """The emotions of each class, in lower case; all others are not part of the scheme."""
    counts: tuple[int, ...] = ()
    """Published numbers of clips of the classes; empty if they are not known for certain."""
    n_subjects: int | None = None


def _plain(*classes: str, counts: tuple[int, ...] = (), n_subjects: int | None = None) -> Scheme:
    """Return a scheme whose classes are the emotions themselves."""
    return Scheme(classes, {name: (name.lower(),) for name in classes}, counts, n_subjects)


_NEGATIVE_POSITIVE_SURPRISE = ("negative", "positive", "surprise")
_MEGC = {
    "negative": ("repression", "anger", "contempt", "disgust", "fear", "sadness", "negative"),
    "positive": ("happiness", "positive"),
    "surprise": ("surprise",),
}
_CASME2 = ("happiness", "disgust", "repression", "surprise", "others")
_SAMM = ("Anger", "Contempt", "Happiness", "Surprise", "Other")

SCHEMES = {
    # SMIC, Li et al., FG 2013; the counts of the folders.
    "smic-3": _plain(*_NEGATIVE_POSITIVE_SURPRISE),
    "smic-hs-3": _plain(*_NEGATIVE_POSITIVE_SURPRISE, counts=(70, 51, 43), n_subjects=16),
    "smic-vis-3": _plain(*_NEGATIVE_POSITIVE_SURPRISE, counts=(24, 28, 19), n_subjects=8),
    "smic-nir-3": _plain(*_NEGATIVE_POSITIVE_SURPRISE, counts=(24, 28, 19), n_subjects=8),
    "casme-4": _plain("disgust", "repression", "surprise", "tense"),
    # CASME II, sheet of 2014: sadness (7) and fear (2) are dropped; the newer sheets have one
    # clip of disgust more.
    "casme2-5": _plain(*_CASME2, counts=(32, 63, 27, 25, 99), n_subjects=26),
    "casme2-5-247": _plain(*_CASME2, counts=(32, 64, 27, 25, 99), n_subjects=26),
    "casme2-7": _plain(
        *_CASME2, "sadness", "fear", counts=(32, 63, 27, 25, 99, 7, 2), n_subjects=26
    ),
    # With sadness and fear among the negative: not MEGC's choice.
    "casme2-4": Scheme(
        (*_NEGATIVE_POSITIVE_SURPRISE, "others"),
        {
            "negative": ("disgust", "repression", "sadness", "fear"),
            "positive": ("happiness",),
            "surprise": ("surprise",),
            "others": ("others",),
        },
        (99, 32, 25, 99),
        26,
    ),
    "samm-5": _plain(*_SAMM, counts=(57, 12, 26, 15, 26)),
    "samm-8": _plain(
        *_SAMM, "Disgust", "Fear", "Sadness", counts=(57, 12, 26, 15, 26, 9, 8, 6), n_subjects=29
    ),
    # Objective classes of CASME II and SAMM together.
    "megc2018-5": _plain("I", "II", "III", "IV", "V"),
    "casme2-objective-5": _plain("I", "II", "III", "IV", "V", counts=(25, 15, 99, 26, 20)),
    "samm-objective-5": _plain("I", "II", "III", "IV", "V", counts=(24, 13, 20, 8, 3)),
    "megc2019-3": Scheme(_NEGATIVE_POSITIVE_SURPRISE, _MEGC, (250, 109, 83), 68),
    "casme-sq-3": _plain(*_NEGATIVE_POSITIVE_SURPRISE),
    "casme-sq-4": _plain(*_NEGATIVE_POSITIVE_SURPRISE, "others"),
    "casme3-7": _plain(
        "disgust",
        "surprise",
        "others",
        "fear",
        "anger",
        "sad",
        "happy",
        counts=(250, 187, 161, 86, 64, 57, 55),
        n_subjects=94,
    ),
    "casme3-4": Scheme(
        (*_NEGATIVE_POSITIVE_SURPRISE, "others"),
        {
            "negative": ("disgust", "fear", "anger", "sad"),
            "positive": ("happy",),
            "surprise": ("surprise",),
            "others": ("others",),
        },
        (457, 55, 187, 161),
        94,
    ),
    "casme3-3": Scheme(
        _NEGATIVE_POSITIVE_SURPRISE,
        {
            "negative": ("disgust", "fear", "anger", "sad"),
            "positive": ("happy",),
            "surprise": ("surprise",),
        },
        (457, 55, 187),
    ),
    "casme3-c-4": _plain(
        "negative", "positive", "surprise", "others", counts=(99, 16, 30, 20), n_subjects=30
    ),
    "mmew-7": _plain("anger", "disgust", "fear", "happiness", "others", "sadness", "surprise"),
    "mmew-6": _plain("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
    "mmew-4": _plain("happiness", "surprise", "disgust", "others"),
    "ckplus-7": _plain(
        "anger",
        "contempt",
        "disgust",
        "fear",
        "happy",
        "sadness",
        "surprise",
        counts=(45, 18, 59, 25, 69, 28, 83),
    ),
    "ckplus-3": Scheme(
        _NEGATIVE_POSITIVE_SURPRISE,
        {
            "negative": ("anger", "contempt", "disgust", "fear", "sadness"),
            "positive": ("happy",),
            "surprise": ("surprise",),
        },
        (175, 69, 83),
    ),
    "fer2013-7": _plain("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    "rafdb-7": _plain("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    "jaffe-7": _plain(
        "angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", n_subjects=10
    ),
    "sfew-7": _plain("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
    "cmu-faces-3": _plain("angry", "happy", "sad"),
}


def find_scheme(name: str, source: str = "scheme") -> Scheme:
    """Return a scheme by name.

    Raises
    ------
    MerecError
        If there is none of that name; ``source`` says where it was named.
    """
    if name not in SCHEMES:
        msg = f"{source}: one of {', '.join(SCHEMES)} expected, found '{name}'"
        raise MerecError(msg + nearest(name, SCHEMES))
    return SCHEMES[name]


def apply_scheme(clips: list[Clip], scheme: Scheme) -> tuple[list[Clip], list[Clip]]:
    """Return the clips of the scheme with their classes, and those that are not part of it."""
    class_of = {emotion: name for name, emotions in scheme.members.items() for emotion in emotions}
    kept, others = [], []
    for clip in clips:
        name = class_of.get(clip.label.strip().lower())
        if name is None:
            others.append(clip)
        else:
            kept.append(replace(clip, label=name))
    return kept, others


def differences(clips: list[Clip], scheme: Scheme) -> list[str]:
    """Say how the clips differ from what was published for the scheme."""
    said = []
    found = Counter(clip.label for clip in clips)
    for name, count in zip(scheme.classes, scheme.counts, strict=False):
        if found[name] != count:
            said.append(f"{count} clips of class '{name}' were published, {found[name]} are here")
    n_subjects = len({clip.subject for clip in clips})
    if scheme.n_subjects is not None and n_subjects != scheme.n_subjects:
        said.append(f"{scheme.n_subjects} subjects were published, {n_subjects} are here")
    return said
