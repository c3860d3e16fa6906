"""Groups by which viewers of HDF5 plot a file: NeXus, as h5web and silx read it.

The arrays stay where they are. A group ``entry`` has hard links to them, and masks unpacked, since a
signal must be numeric and the direct child of its group (https://manual.nexusformat.org, NXdata).
"""

from collections.abc import Callable, Mapping, Sequence

import h5py
import numpy as np
from numpy.typing import NDArray

from merec_hpc.store.layout import options, write_text
from merec_hpc.store.schema import ArraySpec

ENTRY = "entry"


def add_plots(file: h5py.File, kind: str) -> None:
    """Add the groups of a kind of file; nothing where there is nothing to plot."""
    plots = [name for name, add in _PLOTS.get(kind, {}).items() if add(file, name)]
    if not plots:
        return
    _set(file, NX_class="NXroot", default=ENTRY)
    _set(file[ENTRY], NX_class="NXentry", default=plots[0], title=kind)


def _features(file: h5py.File, name: str) -> bool:
    group = _plot(
        file, name, {"values": file["values"]}, ("clip", "feature"), "Features of each clip"
    )
    return group is not None


def _fitness(file: h5py.File, name: str) -> bool:
    names = ("best_fitness", "mean_fitness", "training_accuracy")
    number = np.arange(len(file[names[0]]))
    group = _plot(
        file, name, {one: file[one] for one in names}, ("generation",), "Fitness over generations"
    )
    if group is None:
        return False
    _number(group, "generation", number, "Generation")
    return True


_SOURCES = {
    "best_masks": "best of each generation",
    "hall_masks": "hall of fame",
    "last_masks": "last population",
}


def _frequency(file: h5py.File, name: str) -> bool:
    shares = [_unpacked(file[one]).mean(axis=0) for one in _SOURCES]
    image = np.array(shares, np.float32)
    title = "Share of masks that choose a feature: " + ", ".join(_SOURCES.values())
    return _plot(file, name, {"frequency": image}, ("masks", "feature"), title) is not None


def _masks(file: h5py.File, name: str) -> bool:
    image = _unpacked(file["best_masks"]).astype(np.uint8)
    title = "Mask of the best of each generation"
    return _plot(file, name, {"chosen": image}, ("generation", "feature"), title) is not None


def _weights(file: h5py.File, name: str) -> bool:
    title = "Weights of the machines"
    axes = ("machine", "class", "feature")
    return _plot(file, name, {"weights": file["weights"]}, axes, title) is not None


def _faces(file: h5py.File, name: str) -> bool:
    axes = ("frame", "row", "column", "channel")
    return _plot(file, name, {"frames": file["frames"]}, axes, "Registered frames") is not None


def _detections(file: h5py.File, name: str) -> bool:
    if "detections" not in file:
        return False
    axes = ("clip", "row", "column", "channel")
    signal = {"detections": file["detections"]}
    return _plot(file, name, signal, axes, "First frame of each clip as filmed") is not None


def _jitter(file: h5py.File, name: str) -> bool:
    group = _plot(file, name, {"jitter_px": file["jitter_px"]}, ("clip",), "Jitter of landmarks")
    if group is None:
        return False
    _set(group["jitter_px"], units="px", long_name="RMS motion of the landmarks")
    return True


def _clips(file: h5py.File, name: str) -> bool:
    axes = ("clip", "frame", "row", "column", "channel")
    return _plot(file, name, {"frames": file["frames"]}, axes, "Interpolated frames") is not None


def _flow(file: h5py.File, name: str) -> bool:
    axes = ("clip", "row", "column", "component")
    title = "Flow from onset to apex: u, v, strain"
    return _plot(file, name, {name: file[name]}, axes, title) is not None


_PLOTS: Mapping[str, Mapping[str, Callable[[h5py.File, str], bool]]] = {
    "features": {"features": _features},
    "selection": {"fitness": _fitness, "frequency": _frequency, "masks": _masks},
    "predictor": {"machines": _weights},
    "faces": {"registered": _faces, "detected": _detections, "jitter": _jitter},
    "clips": {"interpolated": _clips},
    "flow": {"images_28": _flow, "images_224": _flow},
}
"""What is plotted of each kind of file, the default first."""


def _plot(
    file: h5py.File,
    name: str,
    signals: Mapping[str, h5py.Dataset | NDArray[np.generic]],
    axes: Sequence[str],
    title: str,
) -> h5py.Group | None:
    """Make a group that plots one signal, with others beside it; none of an empty one."""
    if any(0 in signal.shape for signal in signals.values()):
        return None
    group = file.require_group(ENTRY).create_group(name)
    for own, signal in signals.items():
        if isinstance(signal, h5py.Dataset):
            group[own] = signal  # a hard link
        else:
            array = ArraySpec(own, tuple(axes), "float", title, is_optional=True)
            group.create_dataset(own, data=signal, **options(signal, array))
        _set(group[own], interpretation=_interpretation(axes))
        if "long_name" not in group[own].attrs:
            _set(group[own], long_name=own.replace("_", " "))
    first, *others = signals
    _set(group, NX_class="NXdata", signal=first, title=title)
    _set_list(group, "axes", ["."] * len(axes))
    if others:
        _set_list(group, "auxiliary_signals", others)
    return group


def _interpretation(axes: Sequence[str]) -> str:
    if axes[-1] == "channel":
        return "rgb-image"
    return "spectrum" if len(axes) == 1 else "image"


def _number(group: h5py.Group, name: str, numbers: NDArray[np.int64], title: str) -> None:
    """Give the only axis of a plot its numbers."""
    group.create_dataset(name, data=numbers, chunks=numbers.shape, fletcher32=True)
    _set(group[name], long_name=title)
    _set_list(group, "axes", [name])


def _unpacked(dataset: h5py.Dataset) -> NDArray[np.uint8]:
    return np.unpackbits(dataset[()], axis=-1, count=int(dataset.attrs["n_bits"]))


def _set(where: h5py.File | h5py.Group | h5py.Dataset, **texts: str) -> None:
    for name, text in texts.items():
        write_text(where, name, text)


def _set_list(where: h5py.Group, name: str, texts: Sequence[str]) -> None:
    encoded = [text.encode() for text in texts]
    dtype = h5py.string_dtype("utf-8", max(map(len, encoded)))
    where.attrs.create(name, np.array(encoded, dtype), dtype=dtype)
