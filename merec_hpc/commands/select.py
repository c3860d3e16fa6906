"""Select features."""

from typing import Annotated

import typer

from merec_hpc.commands.options import (
    AnyHeldOut,
    FoldTable,
    Outputs,
    ScalingOption,
    Settings,
    StoreOrTable,
)
from merec_hpc.errors import MerecError
from merec_hpc.selection.selectors import SELECTORS
from merec_hpc.selection.training_folds import write_selections

_NAMES = ", ".join(name for name in SELECTORS if name != "genetic")


def run(
    store: StoreOrTable,
    method: Annotated[str, typer.Option(help=f"One of {_NAMES}.")],
    outputs: Outputs,
    settings: Settings = "{}",
    scaling: ScalingOption = "standard",
    held_out: AnyHeldOut = None,
    fold_table: FoldTable = None,
) -> None:
    """Select features by any selector but the genetic one, on the training subjects of each fold.

    all_features chooses C and bias alone; random_masks keeps the best of masks drawn at random. Of rankings
    (fisher, gini, ...) the inner folds say how many features are kept. forward and backward add or
    remove the feature that the settings' criterion says is best; stable_sfs is forward by mean
    minus deviation of the inner folds, local_greedy by the worst of them; ranked_forward_NAME goes
    through a ranking and keeps what improves. ant_colony is that of paper 5. Inner folds have rankings
    and heuristics of their own; with leaky_ before the name they share that of all training clips. rule
    weighs all features: rule_inductive, rule_unweighted and rule_without_intercept are its ablations,
    rule_evolved and rule_random search its genes otherwise.
    """
    if method == "genetic":
        msg = "--method genetic: the genetic search has a command of its own, merec select-genetic"
        raise MerecError(msg)
    write_selections(method, store, held_out or [], outputs, settings, scaling, fold_table)
