"""Schemes of classes and their published counts."""

import pytest

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.schemes import SCHEMES, apply_scheme, differences, find_scheme
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError


def clips_of(labels: list[str]) -> list[Clip]:
    return [Clip(f"clip{n}", f"s{n % 2}", label, Folder("path")) for n, label in enumerate(labels)]


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_is_one_to_one(name: str) -> None:
    scheme = SCHEMES[name]
    members = [emotion for emotions in scheme.members.values() for emotion in emotions]
    assert set(scheme.members) == set(scheme.classes)
    assert len(set(members)) == len(members)
    assert all(member == member.lower() for member in members)
    assert len(scheme.counts) in {0, len(scheme.classes)}


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("smic-hs-3", 164),
        ("smic-vis-3", 71),
        ("casme2-5", 246),
        ("casme2-5-247", 247),
        ("casme2-7", 255),
        ("samm-5", 136),
        ("samm-8", 159),
        ("megc2019-3", 442),
        ("casme3-7", 860),
        ("ckplus-7", 327),
    ],
)
def test_published_counts_add_up(name: str, total: int) -> None:
    assert sum(SCHEMES[name].counts) == total


def test_emotions_become_classes_in_any_case() -> None:
    kept, others = apply_scheme(
        clips_of(["Disgust", "happiness", "SURPRISE", "fear", "others"]), SCHEMES["megc2019-3"]
    )
    assert [clip.label for clip in kept] == ["negative", "positive", "surprise", "negative"]
    assert [clip.label for clip in others] == ["others"]


def test_counts_that_hold_are_not_worth_a_word() -> None:
    scheme = SCHEMES["smic-vis-3"]
    labels = [
        name
        for name, count in zip(scheme.classes, scheme.counts, strict=True)
        for _ in range(count)
    ]
    clips = [Clip(f"{n}", f"s{n % 8}", label, Folder("p")) for n, label in enumerate(labels)]
    assert differences(clips, scheme) == []
    assert differences(clips[1:], scheme) == [
        "24 clips of class 'negative' were published, 23 are here"
    ]


def test_an_unknown_scheme_names_those_there_are() -> None:
    with pytest.raises(MerecError, match=r"one of smic-3, .* expected, found 'smic-4'"):
        find_scheme("smic-4")
