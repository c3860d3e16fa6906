"""What is compared, and how its uncertainty is stated."""

import difflib
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, ClassifierName, Count, Oversampling, check_distinct
from merec_hpc.config.selection import SELECTORS

Protocol = Literal["leave_one_subject_out", "subject_folds", "official_split"]
Decider = Literal["champion", "hall_of_fame", "ensemble"]
DECIDERS: tuple[Decider, ...] = get_args(Decider)


def _check_method(method: str) -> str:
    """Check the name of a selector, or of one and a decider, as ``genetic+ensemble``."""
    selector, _, decider = method.partition("+")
    if selector not in SELECTORS or (decider or "champion") not in DECIDERS:
        nearest = difflib.get_close_matches(selector, SELECTORS, n=1, cutoff=0.0)[0]
        msg = f"method {method}: a selector (and a decider, as genetic+ensemble) expected; did you"
        msg += f" mean '{nearest}'?"
        raise ValueError(msg)
    return method


Method = Annotated[str, AfterValidator(_check_method)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EvaluationSettings:
    """What is compared, and how its uncertainty is stated."""

    methods: tuple[Method, ...] = Field(default=("all_features", "genetic"), min_length=1)
    protocol: Protocol = "leave_one_subject_out"
    n_folds: int = Field(default=4, ge=2)
    held_out_split: Literal["test", "validation"] = "test"
    classifier: ClassifierName = "linear_svm"
    oversampling: Oversampling = "none"
    n_bootstraps: Count = 2000
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("methods", self.methods)
        plain = self.classifier == "linear_svm" and self.oversampling == "none"
        decided = [method for method in self.methods if "+" in method]
        if decided and not plain:
            msg = (
                f"methods hold {decided[0]}, which needs classifier linear_svm without oversampling"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PermutationSettings:
    """The whole of a method again, on labels permuted within subjects."""

    n_permutations: int = Field(default=0, ge=0)
    methods: tuple[Method, ...] = Field(default=("genetic",), min_length=1)
    permutations_per_job: Count = 20
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("methods", self.methods)
