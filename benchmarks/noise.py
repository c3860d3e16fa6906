"""What selectors and the permutation test make of data without structure.

    OMP_NUM_THREADS=1 python benchmarks/noise.py

First: 71 clips of 8 subjects, 3 classes, 500 features of pure noise. Each selector is run nested
(leave one subject out), on several such sets; its accuracy over all clips must stay within chance,
by an exact binomial interval that is corrected for the number of methods (Bonferroni). Chance is
what the training folds' majority would give at most and 1 / 3 in the mean; classes are even.

Second: 200 noise sets of 24 clips, 4 subjects and 30 features; the p-value of the permutation test
of one selector on each, with ties broken at random, against the uniform distribution by the
Kolmogorov-Smirnov test.
"""

import time
from dataclasses import replace

import numpy as np
from scipy.stats import binom, kstest
from threadpoolctl import threadpool_limits

from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import STANDARD
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    AnySettings,
    ForwardSettings,
    GeneticSettings,
    RandomMasksSettings,
    RankingSettings,
    RuleSettings,
)
from merec_hpc.evaluation.permutation import permutation_p_value, permuted, run_on
from merec_hpc.records import Features

N_SETS, N_NOISE_SETS, N_PERMUTATIONS = 3, 200, 39
C_VALUES = (0.01, 1.0)
NO_BIAS = (0.0,)
GENETIC = GeneticSettings(n_islands=1, n_generations=10, C_values=C_VALUES, bias=NO_BIAS)
FORWARD = ForwardSettings(n_steps=8, C_values=C_VALUES, bias=NO_BIAS)
RANKING = RankingSettings(n_selected_values=(5, 20, 100), C_values=C_VALUES, bias=NO_BIAS)
RULE = RuleSettings()
BIASES = ("none", 0.1, 1.0)
RUNS: tuple[tuple[str, str, AnySettings], ...] = (
    ("all_features", "", AllFeaturesSettings(C_values=C_VALUES, bias=NO_BIAS)),
    ("all_features", "bias", AllFeaturesSettings(C_values=C_VALUES, bias=BIASES)),
    ("all_features+ensemble", "", AllFeaturesSettings(C_values=C_VALUES, bias=NO_BIAS)),
    ("random_masks", "", RandomMasksSettings(C_values=C_VALUES, bias=NO_BIAS)),
    (
        "random_masks",
        "channels",
        RandomMasksSettings(C_values=C_VALUES, bias=NO_BIAS, unit="channel"),
    ),
    ("fisher", "", RANKING),
    ("fisher", "channels", replace(RANKING, unit="channel")),
    ("mrmr", "", RANKING),
    ("forward", "", FORWARD),
    ("forward", "bias", replace(FORWARD, bias=BIASES)),
    ("forward", "channels", replace(FORWARD, unit="channel")),
    ("local_greedy", "", FORWARD),
    ("ranked_forward_fisher", "", FORWARD),
    ("leaky_ranked_forward_fisher", "", FORWARD),
    ("ant_colony", "", AntColonySettings(C_values=C_VALUES, bias=NO_BIAS)),
    ("leaky_ant_colony", "", AntColonySettings(C_values=C_VALUES, bias=NO_BIAS)),
    ("genetic", "", GENETIC),
    ("genetic+ensemble", "", GENETIC),
    ("genetic", "bias", replace(GENETIC, bias=BIASES)),
    ("genetic", "channels", replace(GENETIC, unit="channel")),
    ("genetic", "weights", replace(GENETIC, genome="weights")),
    ("genetic", "weights of channels", replace(GENETIC, unit="channel", genome="weights")),
    ("genetic", "balanced_hinge", replace(GENETIC, criterion="balanced_hinge")),
    ("genetic", "balanced_log_loss", replace(GENETIC, criterion="balanced_log_loss")),
    ("genetic", "departure_penalty 0.1", replace(GENETIC, departure_penalty=0.1)),
    ("genetic", "3 groupings", replace(GENETIC, n_inner_folds=4, n_groupings=3)),
    ("genetic", "two objectives", replace(GENETIC, objectives=("fitness", "n_features"))),
    ("rule", "", RULE),
    ("rule+ensemble", "", RULE),
    ("rule_inductive", "", RULE),
    ("rule_evolved", "", RULE),
    ("rule_random", "", RULE),
)
"""A method, what is not as usual, and the settings."""


def noise(n_clips: int, n_subjects: int, n_features: int, *seed: int) -> Features:
    """Return clips whose labels have nothing to do with their features."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_clips) % 3)
    subjects = np.array([f"s{clip % n_subjects:02d}" for clip in range(n_clips)])
    return Features(
        values=rng.normal(size=(n_clips, n_features)).astype(np.float32),
        labels=labels,
        subjects=subjects,
        clips=np.array([f"clip{clip}" for clip in range(n_clips)]),
        # Channels of four features.
        names=np.array(
            [f"noise/{place // 4}/{place // 2 % 2}/{place % 2}/mean" for place in range(n_features)]
        ),
        class_names=np.array(["a", "b", "c"]),
    )


def main() -> None:
    """Print the tables."""
    n_clips = 71 * N_SETS
    tail = 0.025 / len(RUNS)
    low, high = (binom.ppf(share, n_clips, 1 / 3) / n_clips for share in (tail, 1 - tail))
    print(
        f"| method | with | accuracy on {N_SETS} sets | within [{low:.3f}, {high:.3f}] "
        "| inner fitness |"
    )
    print("|---|---|---|---|---|")
    for method, told, settings in RUNS:
        runs = [
            run_on(noise(71, 8, 500, 1, number), Method.parse(method), settings, STANDARD)[0]
            for number in range(N_SETS)
        ]
        accuracy = np.mean([run.scores["accuracy"] for run in runs])
        inner = np.mean([run.inner_fitness for run in runs])
        within = "yes" if low <= accuracy <= high else "NO"
        print(f"| {method} | {told} | {accuracy:.3f} | {within} | {inner:.3f} |", flush=True)
    start = time.perf_counter()
    ties = np.random.default_rng(7)
    settings = RankingSettings(n_selected_values=(2, 8), C_values=(1.0,), bias=NO_BIAS)
    values = []
    for number in range(N_NOISE_SETS):
        features = noise(24, 4, 30, 2, number)
        scores = [
            run_on(permuted(features, permutation, 0), Method("fisher"), settings, STANDARD)[
                0
            ].scores["accuracy"]
            for permutation in range(N_PERMUTATIONS + 1)
        ]
        values.append(permutation_p_value(scores[0], scores[1:], ties))
    found = kstest(values, "uniform")
    print(
        f"\n{N_NOISE_SETS} noise sets, {N_PERMUTATIONS} permutations each: Kolmogorov-Smirnov "
        f"distance from uniform {found.statistic:.3f}, p = {found.pvalue:.2f} "
        f"({time.perf_counter() - start:.0f} s)"
    )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
