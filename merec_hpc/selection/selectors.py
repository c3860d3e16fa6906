"""Every selector by its name: what a permutation test, which runs the whole of it again, needs."""

from dataclasses import replace

from merec_hpc.config.selection import (
    AllFeaturesSettings,
    AntColonySettings,
    ForwardSettings,
    GeneticSettings,
    RandomMasksSettings,
    RankingSettings,
    section_of,
)
from merec_hpc.config.whole import Config
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.records import Selection
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.ant_colony import MaskFitness, search_with_ants
from merec_hpc.selection.filters import select_by_rank
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.forward import search_forward
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.random_masks import select_random_masks
from merec_hpc.selection.ranking import RANKINGS, anova_f, fisher_score

_HEURISTICS = {"fisher": fisher_score, "anova_f": anova_f}

SelectorSettings = (
    AllFeaturesSettings
    | AntColonySettings
    | ForwardSettings
    | GeneticSettings
    | RandomMasksSettings
    | RankingSettings
)


def settings_kind(selector: str) -> type[SelectorSettings]:
    """Return the type of a selector's settings."""
    kind: type[SelectorSettings] = Config.__annotations__[section_of(selector)]
    return kind


def select(
    fitness: SubjectFoldFitness,
    selector: str,
    settings: SelectorSettings,
    *,
    shows_progress: bool = False,
) -> Selection:
    """Select features by the selector of a name, on the training clips that ``fitness`` holds."""
    if isinstance(settings, GeneticSettings):
        return evolve(fitness, settings, SerialCommunicator(), shows_progress=shows_progress)
    if isinstance(settings, ForwardSettings):
        return search_forward(fitness, selector, settings, shows_progress=shows_progress)
    if isinstance(settings, RankingSettings):
        return select_by_rank(fitness, settings, RANKINGS[selector])
    if isinstance(settings, AntColonySettings):
        return _search_with_ants(fitness, settings, shows_progress=shows_progress)
    if isinstance(settings, RandomMasksSettings):
        return select_random_masks(fitness, settings)
    return select_all_features(fitness, settings)


def _search_with_ants(
    fitness: SubjectFoldFitness, settings: AntColonySettings, *, shows_progress: bool
) -> Selection:
    heuristic = _HEURISTICS[settings.heuristic](fitness.features, fitness.folds.labels)
    if settings.classifier == "random_forest":  # which has no C
        settings = replace(settings, C_values=settings.C_values[:1])
    scored: MaskFitness = fitness
    if (settings.classifier, settings.oversampling) != ("linear_svm", "none"):
        # LIBLINEAR takes half a second, which no rank of a genetic search should pay.
        from merec_hpc.selection.fitness.any_classifier import ClassifierFitness  # noqa: PLC0415

        scored = ClassifierFitness(
            fitness, settings.classifier, settings.oversampling, settings.seed
        )
    return search_with_ants(scored, heuristic, settings, shows_progress=shows_progress)
