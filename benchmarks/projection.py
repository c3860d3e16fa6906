"""A model of a search's time, held against measurements, and projected to many ranks.

    python benchmarks/projection.py

Costs of an evaluation and of breeding are measured on one core, the bytes that ranks send by
counting them in searches on several ranks of this machine. Figures for more ranks than there
are cores are projections of the model (merec_hpc/selection/genetic/cost.py), on a network as
published; nothing but the first table was run at that size.
"""

import json
import os
import pickle
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

from synthetic import SHAPES, Shape, make_clips

from merec_hpc.config.selection import GeneticSettings
from merec_hpc.parallel.mpi import MpiCommunicator, connect
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.runs.cost import Costs, Interconnect, measure_costs, predict_search
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve

MPIEXEC = str(Path(sys.executable).parent / "mpiexec")
# De Sensi et al., SC 2020, doi:10.1109/SC41405.2020.00039: interfaces of 100 Gb/s, and small
# messages of about 2 microseconds between any two nodes.
SLINGSHOT = Interconnect(latency_s=2e-6, bytes_per_s=12.5e9)
# Between processes of one machine.
MEMORY = Interconnect(latency_s=2e-5, bytes_per_s=5e9)
SETTINGS = GeneticSettings(n_islands=1, n_generations=20, bias=(0.0,))
RANKS = (1, 4, 16, 64, 256, 1024, 4096)


def run_here(n_ranks: int, shape: Shape, settings: GeneticSettings) -> dict[str, Any]:
    """Return seconds and messages of a search on so many ranks of this machine."""
    code = f"import projection; projection.report({n_ranks}, {shape!r}, {settings!r})"
    done = subprocess.run(
        [
            MPIEXEC,
            "-n",
            str(n_ranks),
            sys.executable,
            "-c",
            f"from synthetic import Shape; from merec_hpc.config.selection import GeneticSettings; {code}",
        ],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def report(n_ranks: int, shape: Shape, settings: GeneticSettings) -> None:
    """Print what rank 0 measured; run by ``mpiexec``."""
    comm = connect(n_ranks)
    limit_library_threads()
    fitness = SubjectFoldFitness(*make_clips(shape), share=comm.shared)
    evolve(fitness, replace(settings, n_generations=1), comm, shows_progress=False)  # compiles
    sent: Counter[str] = Counter()
    if isinstance(comm, MpiCommunicator):
        for name in ("allgather", "exchange", "fold"):
            setattr(MpiCommunicator, name, counted(getattr(MpiCommunicator, name), name, sent))
    comm.allgather(None)
    sent.clear()
    start = time.perf_counter()
    evolve(fitness, settings, comm, shows_progress=False)
    seconds = time.perf_counter() - start
    every = comm.allgather((seconds, dict(sent)))
    if comm.rank == 0:
        print(json.dumps({"seconds": max(s for s, _ in every), "sent": [one for _, one in every]}))


def counted(method: Callable[..., Any], name: str, sent: Counter[str]) -> Callable[..., Any]:
    """Return a method that counts the bytes of what it is given to send."""

    @wraps(method)
    def call(self: Any, item: Any, *others: Any) -> Any:
        sent[name] += len(pickle.dumps(item))
        return method(self, item, *others)

    return call


def print_measured(costs: Costs, shape: Shape) -> None:
    """Print the model beside what was measured on this machine."""
    print("| islands | ranks | measured, s | model, s | bytes a rank and generation, model |")
    print("|---|---|---|---|---|")
    for n_islands, n_ranks in ((1, 1), (1, 2), (8, 1), (8, 2), (32, 2)):
        settings = replace(SETTINGS, n_islands=n_islands)
        found = run_here(n_ranks, shape, settings)
        model = predict_search(settings, shape.n_features, n_ranks, costs, MEMORY)
        # The founders come on top of the generations.
        founders = n_islands * settings.n_individuals / n_ranks * costs.evaluation_s
        print(
            f"| {n_islands} | {n_ranks} | {found['seconds']:.2f} | "
            f"{model.total_s + founders:.2f} | {model.bytes_per_generation:.0f} |"
        )


def print_messages(shape: Shape) -> None:
    """Print how much ranks send, counted on four ranks of this machine."""
    print("\n| islands | ranks | sent by rank 0 a generation, bytes | of these to teams |")
    print("|---|---|---|---|")
    few = replace(shape, n_clips=24, n_subjects=4)  # what travels depends on features alone
    for n_islands, n_ranks in ((1, 4), (4, 4), (64, 8)):
        settings = replace(SETTINGS, n_islands=n_islands, n_generations=10, migration_interval=5)
        sent = run_here(n_ranks, few, settings)["sent"][0]
        between = sent.get("exchange", 0) + sent.get("fold", 0)
        n = settings.n_generations
        print(f"| {n_islands} | {n_ranks} | {sum(sent.values()) / n:.0f} | {between / n:.0f} |")


def print_projection(costs: Costs, n_features: int) -> None:
    """Print the projection, 50 generations."""
    print(
        "\n| ranks | panmictic, s | its efficiency | 64 islands, s | an island a rank, s | its "
        "evaluations a second |"
    )
    print("|---|---|---|---|---|---|")
    paper = replace(SETTINGS, n_generations=50)
    alone = predict_search(paper, n_features, 1, costs, SLINGSHOT).total_s
    for n_ranks in RANKS:
        one, some, many = (
            predict_search(replace(paper, n_islands=n), n_features, n_ranks, costs, SLINGSHOT)
            for n in (1, 64, n_ranks)
        )
        efficiency = alone / one.total_s / n_ranks
        rate = n_ranks * 50 * 59 / many.total_s
        print(
            f"| {n_ranks} | {one.total_s:.3f} | {efficiency:.2f} | {some.total_s:.2f} | "
            f"{many.total_s:.2f} | {rate:.0f} |"
        )


def main() -> None:
    """Print all tables."""
    limit_library_threads()
    shape = SHAPES[0]
    values, labels, subjects = make_clips(shape)
    costs = measure_costs(SubjectFoldFitness(values, labels, subjects), SETTINGS)
    print(
        f"{shape.n_clips} x {shape.n_features}: evaluation {1000 * costs.evaluation_s:.3f} ms "
        f"(relative spread {costs.evaluation_spread:.2f}), breeding {1000 * costs.breeding_s:.3f} "
        f"ms, training accuracy {1000 * costs.training_s:.2f} ms\n"
    )
    print_measured(costs, shape)
    print_messages(shape)
    print_projection(costs, shape.n_features)


if __name__ == "__main__":
    main()
