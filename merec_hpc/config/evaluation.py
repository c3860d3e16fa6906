"""What is compared, and how its uncertainty is stated."""

from dataclasses import dataclass as plain_dataclass
from typing import Annotated, Literal, cast, get_args

from pydantic import Field, PlainSerializer, PlainValidator
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import (
    STRICT,
    ClassifierName,
    Count,
    Oversampling,
    check_distinct,
    check_known,
)

Protocol = Literal["leave_one_subject_out", "subject_folds", "official_split"]
Decider = Literal["champion", "hall_of_fame", "ensemble"]
DECIDERS: tuple[Decider, ...] = get_args(Decider)
TRANSDUCTIVE = " (transductive)"
"""What the name of a method ends in that has read unlabelled clips of whom it predicts."""


@plain_dataclass(frozen=True)
class Method:
    """A selector, and how its selection becomes predictions: a row of the report."""

    selector: str
    decider: Decider = "champion"
    is_transductive: bool = False
    """Whether its features, scaling or rules have read unlabelled clips of whom it predicts."""

    @classmethod
    def parse(cls, text: object) -> "Method":
        """Return the method of a name: a selector, or one and a decider as ``genetic+ensemble``.

        The name of a transductive one ends in ``(transductive)``.

        Raises
        ------
        ValueError
            If there is no such decider. Whether there is such a selector, ``selectors`` knows.
        """
        if isinstance(text, Method):
            return text
        name = str(text).removesuffix(TRANSDUCTIVE)
        selector, plus, decider = name.partition("+")
        if plus:
            check_known(f"the decider of method {name}", decider, DECIDERS)
        return cls(selector, cast("Decider", decider or "champion"), name != str(text))

    @classmethod
    def wanted(cls, text: object) -> "Method":
        """Return the method that is asked for by name.

        Raises
        ------
        ValueError
            As ``parse``, or if it is called transductive: that features, scaling and rules say.
        """
        method = cls.parse(text)
        if method.is_transductive:
            plain = str(method).removesuffix(TRANSDUCTIVE)
            msg = f"method '{method}': '{plain}' expected: features, scaling and rules say what is transductive"
            raise ValueError(msg)
        return method

    def __str__(self) -> str:
        name = self.selector if self.decider == "champion" else f"{self.selector}+{self.decider}"
        return name + TRANSDUCTIVE if self.is_transductive else name


MethodName = Annotated[
    Method,
    PlainValidator(Method.wanted, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EvaluationSettings:
    """What is compared, and how its uncertainty is stated."""

    methods: tuple[MethodName, ...] = Field(
        default=(Method("all_features"), Method("all_features", "ensemble"), Method("genetic")),
        min_length=1,
    )
    protocol: Protocol = "leave_one_subject_out"
    n_folds: int = Field(default=4, ge=2)
    held_out_split: Literal["test", "validation"] = "test"
    classifier: ClassifierName = "linear_svm"
    oversampling: Oversampling = "none"
    n_bootstraps: Count = 2000
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("methods", list(map(str, self.methods)))
        plain = self.classifier == "linear_svm" and self.oversampling == "none"
        decided = [method for method in self.methods if method.decider != "champion"]
        if decided and not plain:
            msg = (
                f"methods hold {decided[0]}, which needs classifier linear_svm without oversampling"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PermutationSettings:
    """Permutation test: selection and evaluation repeated on labels permuted within subjects."""

    n_permutations: int = Field(default=0, ge=0)
    methods: tuple[MethodName, ...] = Field(default=(Method("genetic"),), min_length=1)
    permutations_per_job: Count = 20
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        check_distinct("methods", list(map(str, self.methods)))
