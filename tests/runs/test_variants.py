"""Which variants a sweep has."""

from dataclasses import replace

import pytest

from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.config.selection import GeneticSettings
from merec_hpc.config.whole import Config, parse_config
from merec_hpc.errors import MerecError
from merec_hpc.runs.experiment import Extraction
from merec_hpc.runs.variants import (
    Variant,
    ensembles_of,
    feature_settings,
    genetic_settings,
    variant_extraction,
    variants_of,
)


def test_an_empty_sweep_is_the_experiment_itself() -> None:
    of_network = parse_config({"features": {"extractor": "network"}})
    (variant,) = variants_of(of_network)
    assert variant == Variant("mobilenet_v2", "features.18", "mean+std", "mu_minus_variance", 0)
    found = variant_extraction(of_network, "mobilenet_v2", "features.18", "mean+std")
    assert found == Extraction("mobilenet_v2", "network", FeatureSettings(extractor="network"))
    (variant,) = variants_of(Config())
    assert variant == Variant("flow", "-", "-", "mu_minus_variance", 0)
    found = variant_extraction(Config(), "flow", "-", "-")
    assert found == Extraction("flow", "flow", FlowSettings())
    assert genetic_settings(Config(), variant.criterion, variant.seed) == GeneticSettings()


def test_a_sweep_is_every_combination_once() -> None:
    config = parse_config(
        {
            "sweep": {
                "networks": ["mobilenet_v2"],
                "layers": ["features.14", "features.18"],
                "statistics": [["mean"], ["mean", "variance"]],
                "criteria": ["mu", "pooled_uar"],
                "seeds": [0, 1, 2],
            }
        }
    )
    variants = variants_of(config)
    assert len(set(variants)) == len(variants) == 2 * 2 * 2 * 3
    assert len({variant.path for variant in variants}) == 24
    assert variants[0].path == (
        "network~mobilenet_v2/layer~features.14/statistics~mean/criterion~mu/seed~0"
    )
    assert genetic_settings(config, "pooled_uar", 2).seed == 2
    assert feature_settings(config, "mobilenet_v2", ["features.14"], ["mean"]).statistics == (
        "mean",
    )


def test_seeds_of_the_same_features_and_criterion_decide_together() -> None:
    sweep = {"criteria": ["mu", "pooled_uar"], "seeds": [0, 4]}
    together = ensembles_of(parse_config({"sweep": sweep}))
    assert [[variant.seed for variant in variants] for variants in together] == [[0, 4], [0, 4]]
    assert [variants[0].ensemble_path for variants in together] == [
        f"network~flow/layer~-/statistics~-/criterion~{name}/seeds" for name in ("mu", "pooled_uar")
    ]
    assert ensembles_of(parse_config({"sweep": {"criteria": ["mu", "pooled_uar"]}})) == []
    evaluation = {"classifier": "random_forest", "methods": ["genetic"]}
    forest = {"sweep": sweep, "evaluation": evaluation}
    assert ensembles_of(parse_config(forest)) == []


@pytest.mark.parametrize(
    "sweep",
    [
        {"layers": ["features.18"]},
        {"seeds": [1, 1]},
        {"statistics": [[]]},
        {"layers": ["a/b"]},
        {"seeds": [-1]},
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(sweep: dict[str, list[object]]) -> None:
    with pytest.raises(MerecError, match="sweep"):
        parse_config({"sweep": sweep})


def test_several_layers_of_the_experiment_are_one_variant() -> None:
    layers = ["features.14", "features.18"]
    config = parse_config({"features": {"extractor": "network", "layer": layers}})
    (variant,) = variants_of(config)
    assert variant.layer == "features.14+features.18"
    found = variant_extraction(config, variant.network, variant.layer, variant.statistics)
    assert found.settings == replace(config.features, blocks=())
    assert found.settings.layer == tuple(layers)
