"""One row of a dataset: a clip, whose it is, what it shows and where its frames lie."""

from dataclasses import dataclass

from merec_hpc.dataset.sources import Source, Span


@dataclass(frozen=True)
class Clip:
    """One annotated expression: where its frames lie, whose face it is, what it shows."""

    clip: str
    subject: str
    label: str
    source: Source
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    frame_rate_hz: float | None = None
    split: str | None = None
    """Official split: train, validation or test."""
    apex_source: str | None = None
    """Where the apex is from: sheet, pair, single, or the method by which it was found."""

    @property
    def span(self) -> Span:
        """Return the numbers of the first and the last frame."""
        return Span(self.onset, self.offset)
