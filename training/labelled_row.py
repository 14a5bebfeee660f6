"""One labelled study as a training run uses it, and how many of them the folds need. No torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TypedDict, cast

from django.conf import settings


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


@dataclass(frozen=True)
class LabelledRow:
    """Which images of a study, which label, and what must stay together.

    ``patient`` is a primary key, ``group`` names the patient with all linked ones (twins), ``reads`` are the primary
    keys of the read revisions that made the label, ``fold`` counts from 0 and is -1 before the folds are drawn.
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

    def as_json(self) -> SnapshotRow:
        """The row as a snapshot stores it."""
        return cast(SnapshotRow, {**asdict(self), "reads": list(self.reads)})


def infants_needed() -> int:
    """Infants of each class that the folds need together."""
    count: int = settings.MIN_POSITIVES_PER_FOLD * settings.TRAINING_FOLDS
    return count
