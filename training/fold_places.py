"""Which fold an infant lies in, for good: more labels move nobody to the other side of a split. No torch.

A patient is dealt a fold when its first run starts, and keeps it. Nothing is drawn: the fold with the fewest infants of
the kind gets the next one, so that no seed gives another deal, and champion and challenger meet on the same infants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from studies.models import Patient
from training.labelled_row import LabelledRow
from training.models import FoldPlace


@dataclass(frozen=True)
class Deal:
    """Fold of each group, and the groups that were linked after they had been dealt to several."""

    folds: dict[str, int]
    rejoined: list[str]


def deal(rows: Sequence[LabelledRow]) -> Deal:
    """Folds of these studies' groups: as they were dealt before, new ones dealt in. Writes nothing."""
    from training.core.splits import deal_new

    positive: dict[str, bool] = defaultdict(bool)
    for row in rows:
        positive[row.group] |= row.positive
    known, rejoined = _known(rows)
    return Deal(deal_new(positive, known, folds=settings.TRAINING_FOLDS), rejoined)


def keep(rows: Iterable[LabelledRow]) -> None:
    """Store where each patient lies, in the caller's transaction; those who had a place have it still."""
    folds = {row.patient: row.fold for row in rows}
    count: int = settings.TRAINING_FOLDS
    FoldPlace.objects.bulk_create(
        [FoldPlace(patient_id=patient, fold=fold, folds=count) for patient, fold in sorted(folds.items())],
        ignore_conflicts=True,
    )


def _known(rows: Sequence[LabelledRow]) -> tuple[dict[str, int], list[str]]:
    """The fold of each group that has one, by its earliest place, and the groups that had several."""
    group_of = {row.patient: row.group for row in rows}
    survivors = _survivors()
    known: dict[str, int] = {}
    rejoined: set[str] = set()
    for patient, fold in _stored():
        if (group := group_of.get(survivors.get(patient, patient))) is None:
            continue
        if known.setdefault(group, fold) != fold:
            rejoined.add(group)
    return known, sorted(rejoined)


def _stored() -> Iterable[tuple[int, int]]:
    places = FoldPlace.objects.filter(folds=settings.TRAINING_FOLDS).order_by("pk")
    return places.values_list("patient_id", "fold")


def _survivors() -> Mapping[int, int]:
    """Who every merged patient is now."""
    into = dict(Patient.objects.exclude(merged_into=None).values_list("pk", "merged_into_id"))
    final: dict[int, int] = {}
    for patient in into:
        at = patient
        while at in into:
            at = into[at]
        final[patient] = at
    return final
