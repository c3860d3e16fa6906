"""Every selector by its name: its settings, what it searches with, and what a job of it needs."""

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from merec_hpc.config.base import nearest
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
from merec_hpc.errors import MerecError
from merec_hpc.records import Selection
from merec_hpc.selection.fitness.genome import genome_of, in_features
from merec_hpc.selection.ranking import ORDERS, RANKINGS

if TYPE_CHECKING:
    from merec_hpc.selection.fitness.inner_fitness import InnerFitness


class Search(Protocol):
    """From the training clips that a fitness holds to a selection."""

    def __call__(
        self,
        fitness: "InnerFitness",
        name: str,
        settings: Any,
        *,
        shows_progress: bool = False,
    ) -> Selection:
        """Select by the selector of a name, with settings of its section."""
        ...


@dataclass(frozen=True)
class Selector:
    """One way from training clips to a mask."""

    section: str
    """Of the configuration."""
    settings: type[AnySettings]
    """The type of that section."""
    module: str
    """Imported when it is used; its function ``select`` is a ``Search``."""
    memory_mb: int = 2000
    minutes: int = 30
    """What a job asks for one fold, at first."""
    criterion: str | None = None
    """Its own, whatever the section says."""
    decides: bool = False
    """Whether it predicts by rules of its own, and no classifier is trained on a mask."""
    takes_units: bool = True
    """Whether it may choose groups of features (key ``unit``)."""

    def search(self) -> Search:
        """Return what searches."""
        found: Search = import_module(self.module).select
        return found


RANKED = "ranked_forward_"
LEAKY = "leaky_"
"""Before the name of a search: led by what all training clips say, as is common and too good in
the inner folds, which then see the classes of the clips that they predict. To compare with."""
_ROOM = "merec_hpc.selection"
_RANKING = Selector("ranking", RankingSettings, f"{_ROOM}.filters", minutes=10)
_RULE = Selector("rule", RuleSettings, f"{_ROOM}.rule.selecting", decides=True)
_FORWARD = Selector("forward", ForwardSettings, f"{_ROOM}.forward", minutes=60)
_ANTS = Selector("ant_colony", AntColonySettings, f"{_ROOM}.ant_colony")

SELECTORS: dict[str, Selector] = {
    "all_features": Selector(
        "all_features", AllFeaturesSettings, f"{_ROOM}.all_features", memory_mb=1000, minutes=5
    ),
    "random_masks": Selector(
        "random_masks", RandomMasksSettings, f"{_ROOM}.random_masks", memory_mb=1000, minutes=5
    ),
    **{name: replace(_RANKING, takes_units=name not in ORDERS) for name in RANKINGS},
    "forward": _FORWARD,
    "backward": _FORWARD,
    "stable_sfs": replace(_FORWARD, criterion="mu_minus_deviation"),
    "local_greedy": replace(_FORWARD, criterion="minimum"),
    **{
        f"{leaky}{RANKED}{name}": replace(_FORWARD, takes_units=name not in ORDERS)
        for leaky in ("", LEAKY)
        for name in RANKINGS
    },
    "ant_colony": _ANTS,
    f"{LEAKY}ant_colony": _ANTS,
    "rule": _RULE,
    "rule_inductive": _RULE,
    "rule_unweighted": _RULE,
    "rule_without_intercept": _RULE,
    "rule_evolved": _RULE,
    "rule_random": _RULE,
    # Its command is select-genetic, for ranks, checkpoints and signals.
    "genetic": Selector("genetic", GeneticSettings, f"{_ROOM}.genetic.archipelago", minutes=10),
}


def find_selector(name: str, source: str = "--method") -> Selector:
    """Return a selector by its name.

    Raises
    ------
    MerecError
        If there is none of that name; ``source`` says where it was named.
    """
    if name not in SELECTORS:
        listed = ", ".join(SELECTORS)
        msg = f"{source}: a selector of {listed} expected, found '{name}'{nearest(name, SELECTORS)}"
        raise MerecError(msg)
    return SELECTORS[name]


def check_unit(name: str, settings: AnySettings, source: str = "--settings") -> None:
    """Raise a ``MerecError`` if a selector is to choose groups and cannot."""
    if isinstance(settings, RuleSettings):
        return
    if settings.unit != "feature" and not find_selector(name).takes_units:
        msg = (
            f"{source}: unit feature expected with {name}, which scores no single feature by "
            f"itself, found {settings.unit}"
        )
        raise MerecError(msg)


def select(
    fitness: "InnerFitness", name: str, settings: Any, *, shows_progress: bool = False
) -> Selection:
    """Select features by the selector of a name, on the training clips that ``fitness`` holds.

    Whatever the genes of ``fitness`` stand for, the masks of the selection are of features.
    """
    found = find_selector(name).search()(fitness, name, settings, shows_progress=shows_progress)
    return in_features(genome_of(fitness), found)
