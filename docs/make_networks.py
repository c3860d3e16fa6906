"""Writes ``docs/networks.md``: every network of the registry, by what it says of itself."""

from pathlib import Path

from merec_hpc.networks.counting import layer_shapes, network_size
from merec_hpc.networks.network import Network
from merec_hpc.networks.registry import NETWORKS

PAGE = Path(__file__).with_name("networks.md")

_HEAD = """# Networks

Written by `make docs` from the registry, `merec_hpc/networks/registry.py`. A network is named by
`features.network`, unless it reads flow, one of its layers, or several, by `features.layer`; beside the layers listed here any node of its
graph may be named. Shapes are channels x rows x columns, of one image at the side that the network was made
for; layers before the dense ones take other sides as well (`features.input_px`). Parameters and
multiply-adds are those of the network with as many classes as it has here; multiply-adds are those of
convolutions and matrix products.

| network | input | white | mean | deviation | parameters | multiply-adds | weights |
|---|---|---|---|---|---|---|---|
"""
_TAIL = """
## Weights

The first bytes of a file tell its kind, not its name:

* **A package's file.** `merec fetch-weights --name mobilenet_v2 --output FILE` downloads the package, takes the
  one file and compares its sha256, and so does every run that opens it. The file is read as data:
  pickles without code, HDF5 without Keras. For a source archive pip runs the archive's setup script, as it
  always does to learn a version; whoever does not want that gives the file under `weights` in the configuration.
* **torchvision's file**, as it is released, old names included. The first digits of its sha256 are in its
  name; another file is taken, and a warning says so.
* **A checkpoint**: what torch saves of `{"kind": "merec_hpc checkpoint", "network": NAME, "choices": CHOICES, "state": STATE}`,
  where choices, which may be left out, are keyword arguments of the network's builder, such as the number of classes.
  It is taken for every network, also for those whose weights a package carries.
* **safetensors**, by a reader that checks every length, kind, gap, overlap and bound.
* **MatConvNet's file** of VGG-F, `imagenet-vgg-f.mat`, in both of its layouts: `meta.normalization` with
  `weights`, and `normalization` with `filters` and `biases`. Mean image and values of the normalisation are the
  file's; strides and pads are compared.
* **None**: `merec fetch-weights --name vgg_f --seed 0 --output FILE` writes a file that stands for random weights
  from that seed, and whatever opens it warns.

Names, shapes and kinds of all arrays are compared, and values that are not finite are refused. The checksums in archives of
torch and in compressed MATLAB files are compared too; old files of torch, plain MATLAB files and safetensors have
none, so that a damaged value can go unnoticed there, unless the sha256 is known. Feature stores record the sha256 of whatever was
opened.
"""


def networks_text() -> str:
    """Return the page as it stands in its file."""
    rows = "".join(_row(name, known) for name, known in NETWORKS.items())
    parts = "".join(_part(name, known) for name, known in NETWORKS.items())
    return _HEAD + rows + parts + _TAIL


def _row(name: str, known: Network) -> str:
    size = network_size(name)
    cells = (
        f"[{name}](#{name})",
        f"{known.input_px} x {known.input_px}, {known.colours}",
        "-" if known.colours == "flow" else f"{known.maximum:g}",
        "an image, of the weights" if known.has_mean_image else _values(known.mean),
        _values(known.std),
        f"{size.n_parameters:,}",
        f"{size.n_multiply_adds / 1e9:.4g} G",
        f"package {known.weights.requirement}" if known.weights else known.released_as or "a file",
    )
    return f"| {' | '.join(cells)} |\n"


def _values(values: tuple[float, ...]) -> str:
    return ", ".join(f"{one:g}" for one in values)


def _part(name: str, known: Network) -> str:
    shapes = layer_shapes(name)
    layers = ", ".join(
        f"{layer} ({' x '.join(map(str, shape))})" for layer, shape in shapes.items()
    )
    lines = [f"\n## {name}\n", f"Source: {known.source}.\n", f"Layers: {layers}.\n"]
    if known.colours == "flow":
        lines.append("Reads u, v and strain in pixels of the registered face, and no frame.\n")
    if known.classes:
        lines.append(f"Classes: {', '.join(known.classes)}.\n")
    if not known.antialias:
        lines.append("Images are made smaller without smoothing, as OpenCV does.\n")
    lines.append(_weights(known))
    return "\n".join(lines)


def _weights(known: Network) -> str:
    if known.weights is not None:
        file = known.weights
        return (
            f"Weights: {file.member} in {file.requirement}, sha256 {file.sha256}. "
            f"Terms as found: {file.licence}.\n"
        )
    if not known.terms:
        return "Weights: none are released; a checkpoint, or random ones.\n"
    released = f"torchvision's {known.released_as}, " if known.released_as else ""
    return f"Weights: no package carries them. Released as {released}{known.terms}.\n"


if __name__ == "__main__":
    PAGE.write_text(networks_text(), encoding="utf-8")
