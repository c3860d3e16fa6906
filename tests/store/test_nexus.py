"""The attributes by which h5web finds what to plot (https://h5web.panosc.eu, NeXus)."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from store.stores import STORES, small_selection

from merec_hpc.config.faces import ClipSettings, InterpolationSettings
from merec_hpc.store.clips import write_clips
from merec_hpc.store.schema import FILES

DEFAULTS = {
    "faces": "/entry/registered",
    "clips": "/entry/interpolated",
    "flow": "/entry/images_28",
    "features": "/entry/features",
    "selection": "/entry/fitness",
    "predictor": "/entry/machines",
}


def text(value: Any) -> str:
    assert isinstance(value, bytes)
    return value.decode()


def plotted(file: h5py.File) -> h5py.Group:
    """Follow ``default`` from group to group, as viewers do."""
    group = file
    while "default" in group.attrs:
        group = group[text(group.attrs["default"])]
    return group


@pytest.mark.parametrize("kind", list(DEFAULTS))
def test_a_viewer_finds_a_plot(kind: str, tmp_path: Path) -> None:
    STORES[kind].write(tmp_path / "store.h5")
    with h5py.File(tmp_path / "store.h5") as file:
        assert text(file.attrs["NX_class"]) == "NXroot"
        assert plotted(file).name == DEFAULTS[kind]
        entry = file["entry"]
        assert text(entry.attrs["NX_class"]) == "NXentry"
        for group in entry.values():
            check_data(group)


def check_data(group: h5py.Group) -> None:
    """Check what h5web asks of an NXdata group."""
    assert text(group.attrs["NX_class"]) == "NXdata"
    names = [text(group.attrs["signal"])]
    names += [text(name) for name in np.ravel(group.attrs.get("auxiliary_signals", []))]
    signal = group[names[0]]
    for name in names:
        assert "/" not in name
        assert isinstance(group.get(name, getlink=True), h5py.HardLink)
        assert isinstance(group[name], h5py.Dataset)
        assert group[name].dtype.kind in "fiu"
        assert group[name].shape == signal.shape
        assert group[name].attrs["long_name"]
    axes = [text(axis) for axis in np.ravel(group.attrs["axes"])]
    assert len(axes) == signal.ndim
    for axis, length in zip(axes, signal.shape, strict=True):
        assert axis == "." or group[axis].shape == (length,)
    interpretation = text(signal.attrs["interpretation"])
    least = {"spectrum": 1, "image": 2, "rgb-image": 3}[interpretation]
    assert signal.ndim >= least
    assert interpretation != "rgb-image" or signal.shape[-1] == 3
    assert group.attrs["title"]


def test_masks_are_unpacked_and_counted(tmp_path: Path) -> None:
    STORES["selection"].write(tmp_path / "store.h5")
    selection = small_selection()
    with h5py.File(tmp_path / "store.h5") as file:
        chosen = file["entry/masks/chosen"][()]
        np.testing.assert_array_equal(chosen, selection.history.best_masks)
        frequency = file["entry/frequency/frequency"][()]
        np.testing.assert_allclose(frequency[1], selection.hall_of_fame.masks.mean(axis=0))
        np.testing.assert_allclose(frequency[2], selection.last.masks.mean(axis=0))
        fitness = file["entry/fitness/best_fitness"]
        assert fitness.id == file["best_fitness"].id  # not a copy
        np.testing.assert_array_equal(file["entry/fitness/generation"][()], range(4))
        assert text(file["entry/fitness/generation"].attrs["long_name"]) == "Generation"


def test_what_has_a_unit_says_so(tmp_path: Path) -> None:
    STORES["faces"].write(tmp_path / "store.h5")
    with h5py.File(tmp_path / "store.h5") as file:
        assert text(file["entry/jitter/jitter_px"].attrs["units"]) == "px"


def test_every_kind_but_views_has_plots_and_an_empty_file_none(tmp_path: Path) -> None:
    assert {spec.kind for spec in FILES} == {*DEFAULTS, "view"}
    names = np.array([], np.str_)
    clips = STORES["clips"]
    write_clips(
        tmp_path / "x.h5", names, iter([]), InterpolationSettings(), ClipSettings(keep=True)
    )
    assert clips.read(tmp_path / "x.h5") == []
    with h5py.File(tmp_path / "x.h5") as file:
        assert "entry" not in file
