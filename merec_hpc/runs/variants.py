"""Lists the variants of an experiment: other features, other criteria, other seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import cast

from merec_hpc.config.features import FeatureSettings, Statistic
from merec_hpc.config.selection import Criterion, GeneticSettings
from merec_hpc.config.whole import Config
from merec_hpc.features.extractors import NETWORK
from merec_hpc.runs.experiment import Extraction, extractions

_OWN = "-"


@dataclass(frozen=True)
class Variant:
    """One of the searches of a sweep."""

    network: str
    """Or the extractor that is none: its features are then the experiment's own."""
    layer: str
    """Or several, joined by ``+``."""
    statistics: str
    """The statistics joined by ``+``."""
    criterion: Criterion
    seed: int

    @property
    def path(self) -> str:
        """Name of the variant's folder, as Snakemake's paramspace spells it."""
        return "/".join(f"{name}~{value}" for name, value in vars(self).items())

    @property
    def ensemble_path(self) -> str:
        """Name of the ensemble of all seeds."""
        return f"{self.path.rpartition('/')[0]}/seeds"


def variants_of(config: Config) -> list[Variant]:
    """Return all combinations; what the sweep leaves empty stays as the experiment has it."""
    sweep, features, genetic = config.sweep, config.features, config.genetic
    networks = sweep.networks or (features.network,)
    layers = sweep.layers or ("+".join(features.layers),)
    statistics = ["+".join(names) for names in sweep.statistics or (features.statistics,)]
    if features.extractor != NETWORK and not sweep.networks:
        networks, layers, statistics = (features.extractor,), (_OWN,), [_OWN]
    return [
        Variant(network, layer, joined, criterion, seed)
        for network, layer, joined, criterion, seed in product(
            networks,
            layers,
            statistics,
            sweep.criteria or (genetic.criterion,),
            sweep.seeds or (genetic.seed,),
        )
    ]


def ensembles_of(config: Config) -> list[list[Variant]]:
    """Return the variants that differ in their seed alone, where several of them may decide."""
    if (config.evaluation.classifier, config.evaluation.oversampling) != ("linear_svm", "none"):
        return []  # an ensemble is one of linear machines
    together: dict[str, list[Variant]] = {}
    for variant in variants_of(config):
        together.setdefault(variant.ensemble_path, []).append(variant)
    return [variants for variants in together.values() if len(variants) > 1]


def variant_extraction(config: Config, network: str, layer: str, statistics: str) -> Extraction:
    """Return what extracts the features of a variant, whose layers and statistics are joined by ``+``."""
    if layer == _OWN:
        return extractions(config)[0]
    names = cast("list[Statistic]", statistics.split("+"))
    layers = layer.split("+")
    settings = feature_settings(config, network, layers, names)
    return Extraction(network, NETWORK, settings)


def feature_settings(
    config: Config, network: str, layers: Sequence[str], statistics: Sequence[Statistic]
) -> FeatureSettings:
    """Return the experiment's settings with a variant's network, layers and statistics."""
    return replace(
        config.features,
        extractor=NETWORK,
        blocks=(),
        network=network,
        layer=tuple(layers) if len(layers) > 1 else layers[0],
        statistics=tuple(statistics),
    )


def genetic_settings(config: Config, criterion: Criterion, seed: int) -> GeneticSettings:
    """Return the experiment's settings with a variant's criterion and seed."""
    return replace(config.genetic, criterion=criterion, seed=seed)
