"""Deep features of clips, from the store of faces to rows, against the bare forward pass.

    python benchmarks/extraction.py [--networks mobilenet_v2 resnet34] [--device cuda] [--threads 2]

Clips of 24 frames of 224 x 224 pixels are read from a store, interpolated to 10 frames, brought to
what the network takes, passed and described. The rival passes as many batches of the same size
that are already there, on as many threads, and keeps nothing. Weights are random: they change no
time. Both are repeated in turn, and the fastest of each is taken.

The second table is of processes of their own: their largest memory for some clips, and for ten
times as many. ``--agreement`` adds a third: how far features are from those of the CPU in float32, and
whether they are the same bytes twice.
"""

import argparse
import logging
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from skimage.data import astronaut

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.faces import FaceSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.features.activations import Backbone
from merec_hpc.features.extraction import extract
from merec_hpc.networks.cutting import cut
from merec_hpc.networks.random_weights import random_weights
from merec_hpc.networks.registry import NETWORKS
from merec_hpc.networks.reproducible import reproducible
from merec_hpc.networks.weight_sources import load_network
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import TILE_PX
from merec_hpc.store.faces import iterate_face_clips, written_faces

N_FILMED, N_INTERPOLATED, SIDE_PX = 24, 10, 224
N_TIMES = 5


def write_faces(path: Path, n_clips: int) -> None:
    """Write a store of faces: windows that move over a photograph."""
    photo = astronaut()
    rng = np.random.default_rng(0)
    with written_faces(path, FaceSettings(size_px=SIDE_PX), "0" * 64) as writer:
        for clip in range(n_clips):
            row, column = rng.integers(0, 512 - SIDE_PX - N_FILMED, 2)
            for step in range(N_FILMED):
                writer.add(photo[row + step :, column + step :][:SIDE_PX, :SIDE_PX])
            writer.end_clip(
                f"clip{clip:05d}",
                np.zeros((N_FILMED, 68, 2), np.float32),
                0.0,
                np.zeros((TILE_PX, TILE_PX, 3), np.uint8),
                np.tile(np.eye(2, 3), (N_FILMED, 1, 1)),
                (SIDE_PX, SIDE_PX),
                range(N_FILMED),
            )


def clips_of(faces: Path, n_clips: int) -> Iterator[FaceClip]:
    """Yield the clips of a store."""
    apexes = {f"clip{clip:05d}": N_FILMED // 2 for clip in range(n_clips)}
    return iterate_face_clips(faces, apexes, N_INTERPOLATED)


def main() -> None:
    """Print the tables."""
    logging.disable()
    limit_library_threads()
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", nargs="+", default=["mobilenet_v2", "resnet34"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=FeatureSettings().batch_size)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--agreement", action="store_true", help="Compare with the CPU as well.")
    parser.add_argument("--only-extract", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights"
        weights.write_bytes(random_weights(0))
        if asked.only_extract:
            print(memory_mb(asked, asked.networks[0], weights))
            return
        few, many = Path(folder) / "few.h5", Path(folder) / "many.h5"
        write_faces(few, asked.clips)
        write_faces(many, 10 * asked.clips)
        print("| network | batch | bare forward pass, images/s | extraction, images/s | ratio |")
        print("|---|---|---|---|---|")
        for network in asked.networks:
            bare, whole = speeds(asked, network, weights, few)
            print(
                f"| {network} | {asked.batch_size} | {bare:.1f} | {whole:.1f} | {whole / bare:.2f} |",
                flush=True,
            )
        print(f"\n| network | {asked.clips} clips, MiB | {10 * asked.clips} clips, MiB | ratio |")
        print("|---|---|---|---|")
        for network in asked.networks:
            small, large = (child_mb(asked, network, faces) for faces in (few, many))
            print(f"| {network} | {small:.0f} | {large:.0f} | {large / small:.3f} |", flush=True)
        if asked.agreement:
            print(f"\n| network | {asked.device} less CPU, of the largest | twice the same bytes |")
            print("|---|---|---|")
            for network in asked.networks:
                error, is_same = agreement(asked, network, weights, few)
                print(f"| {network} | {error:.1e} | {is_same} |", flush=True)


def chosen(asked: argparse.Namespace, network: str) -> tuple[FeatureSettings, str]:
    """Return the settings, and the layer: the last one with rows and columns, as a rule."""
    layer = NETWORKS[network].layers[-2]
    settings = FeatureSettings(
        network=network, layer=layer, batch_size=asked.batch_size, precision=asked.precision
    )
    return settings, layer


def speeds(
    asked: argparse.Namespace, network: str, weights: Path, faces: Path
) -> tuple[float, float]:
    """Return images a second: of the bare forward pass, of extraction."""
    settings, layer = chosen(asked, network)
    backbone = Backbone(network, layer, weights, asked.device, precision=asked.precision)
    device = torch.device(asked.device)
    known = NETWORKS[network]
    bare = cut(load_network(network, weights), [layer]).to(device)
    side = known.input_px
    batch = torch.randn(asked.batch_size, known.n_channels, side, side, device=device)
    # As the pixels of images lie, which convolutions are faster with.
    batch = batch.contiguous(memory_format=torch.channels_last)
    n_images = asked.clips * N_INTERPOLATED
    n_batches = -(-n_images // asked.batch_size)
    precision = getattr(torch, asked.precision)

    def step(_: int) -> None:
        mixed = torch.autocast(device.type, precision, enabled=precision != torch.float32)
        with torch.inference_mode(), mixed:
            bare(batch)
            if device.type == "cuda":
                torch.cuda.synchronize()

    def pass_all() -> None:
        with ThreadPoolExecutor(
            asked.threads, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            list(pool.map(step, range(n_batches)))

    def extract_all() -> None:
        list(extract(clips_of(faces, asked.clips), backbone, settings, asked.threads))

    fastest = {}
    for work in (pass_all, extract_all) * N_TIMES:
        with reproducible():
            start = time.perf_counter()
            work()
            spent = time.perf_counter() - start
        fastest[work] = min(fastest.get(work, spent), spent)
    return n_batches * asked.batch_size / fastest[pass_all], n_images / fastest[extract_all]


def agreement(
    asked: argparse.Namespace, network: str, weights: Path, faces: Path
) -> tuple[float, bool]:
    """Return how far the device's features are from the CPU's, and whether they repeat."""
    settings, layer = chosen(asked, network)
    first, second, expected = (
        np.stack([row for row, _ in extract(clips_of(faces, asked.clips), one, settings, 2)])
        for one in (
            Backbone(network, layer, weights, asked.device, precision=asked.precision),
            Backbone(network, layer, weights, asked.device, precision=asked.precision),
            Backbone(network, layer, weights, "cpu"),
        )
    )
    error = np.abs(first - expected).max() / np.abs(expected).max()
    return float(error), first.tobytes() == second.tobytes()


def child_mb(asked: argparse.Namespace, network: str, faces: Path) -> float:
    """Return the largest memory of a process that extracts all clips of a store."""
    n_clips = asked.clips * (10 if faces.stem == "many" else 1)
    command = [sys.executable, __file__, "--networks", network, "--device", asked.device]
    command += ["--threads", str(asked.threads), "--batch-size", str(asked.batch_size)]
    command += ["--precision", asked.precision]
    command += ["--clips", str(n_clips), "--only-extract", str(faces)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory_mb(asked: argparse.Namespace, network: str, weights: Path) -> float:
    """Extract all clips, and return the largest memory of this process."""
    settings, layer = chosen(asked, network)
    backbone = Backbone(network, layer, weights, asked.device, precision=asked.precision)
    for _ in extract(clips_of(asked.only_extract, asked.clips), backbone, settings, asked.threads):
        pass
    # Not ru_maxrss, which is at least what the parent had when it started this process.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


if __name__ == "__main__":
    main()
