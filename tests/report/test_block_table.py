"""Rows of the table of blocks."""

import pytest

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.evaluation.blocks import BlockShare
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.report.block_table import block_rows


def _predictions(method: str, hits: str) -> list[Prediction]:
    return [
        Prediction(method, "linear_svm", 0, f"s{place}", f"s{place}", f"c{place}", "a", hit)
        for place, hit in enumerate(hits)
    ]


def _share(selector: str, fold: str, block: str, share: float) -> BlockShare:
    size = {"flow": 100, "deep": 50}[block]
    return BlockShare(selector, fold, block, round(share * 30), share, size, size**-0.5)


@pytest.mark.parametrize("ending", ["", " (transductive)"])
def test_a_row_has_the_accuracy_of_its_block_and_its_mean_share_of_each_selector(
    ending: str,
) -> None:
    predictions = _predictions(f"flow{ending}", "aaab") + _predictions(f"deep{ending}", "abbb")
    shares = [
        _share("genetic", "s1", "flow", 0.6),
        _share("genetic", "s1", "deep", 0.4),
        _share("genetic", "s2", "flow", 0.8),
        _share("genetic", "s2", "deep", 0.2),
        _share("fisher", "s1", "flow", 1.0),
        _share("fisher", "s1", "deep", 0.0),
    ]
    flow, deep = block_rows(predictions, shares, EvaluationSettings(n_bootstraps=10))
    assert (flow.block, deep.block) == (f"flow{ending}", f"deep{ending}")
    assert (flow.scores["accuracy"].value, deep.scores["accuracy"].value) == (0.75, 0.25)
    assert flow.shares == {"genetic": pytest.approx(0.7), "fisher": 1.0}
    assert deep.shares == {"genetic": pytest.approx(0.3), "fisher": 0.0}
    assert (flow.n_features, deep.weight) == (100, 50**-0.5)
