"""One labelled study as a training run uses it, and how many of them the folds need. No torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, NotRequired, TypedDict, cast

from django.conf import settings

LabelOrigin = Literal["consecutive", "random", "chosen", "imported"]
"""How a study came to be labelled: read on a day of the list without a gap, drawn at random for a queue, chosen (by a
person, a strategy or its place in the list), or imported. The first two alone are like the studies to come."""


UNBIASED: frozenset[LabelOrigin] = frozenset({"consecutive", "random"})


class SnapshotRow(TypedDict):
    """A labelled study as a snapshot stores it: its digest is over exactly these keys."""

    study_uid: str
    revision: int
    revision_digest: str
    patient: int
    group: str
    positive: bool
    reads: list[int]
    rule: str
    definition: str
    fold: int
    origin: NotRequired[LabelOrigin]


@dataclass(frozen=True)
class LabelledRow:
    """Which images of a study, which label, and what must stay together.

    ``patient`` is a primary key, ``group`` names the patient with all linked ones (twins), ``reads`` are the primary
    keys of the read revisions that made the label, ``fold`` counts from 0 and is -1 before the folds are dealt.
    """

    study_uid: str
    revision: int
    revision_digest: str
    patient: int
    group: str
    positive: bool
    reads: tuple[int, ...]
    rule: str
    definition: str
    fold: int = -1
    origin: LabelOrigin = "chosen"

    @property
    def unbiased(self) -> bool:
        """Whether calibration, thresholds and figures may go by it."""
        return self.origin in UNBIASED

    def as_json(self) -> SnapshotRow:
        """The row as a snapshot stores it."""
        return cast(SnapshotRow, {**asdict(self), "reads": list(self.reads)})


def infants_needed() -> int:
    """Infants of each class that the folds need together."""
    count: int = settings.MIN_POSITIVES_PER_FOLD * settings.TRAINING_FOLDS
    return count
