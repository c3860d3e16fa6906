"""Which variants a sweep tries."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, Name, check_distinct
from merec_hpc.config.features import Statistic
from merec_hpc.config.selection import Criterion


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SweepSettings:
    """Variants of the search; an empty list leaves the experiment's own value."""

    networks: tuple[Name, ...] = ()
    layers: tuple[Name, ...] = ()
    statistics: tuple[Annotated[tuple[Statistic, ...], Field(min_length=1)], ...] = ()
    criteria: tuple[Criterion, ...] = ()
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = ()

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        for key, values in vars(self).items():
            check_distinct(key, [str(value) for value in values])
        for names in self.statistics:
            check_distinct("statistics", names)
        check_distinct("statistics", ["+".join(sorted(names)) for names in self.statistics])
