"""Studies that may be labelled next, and what is known of them and of those that are: scores, vectors, scanners, ages.

Studies are named by their keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from annotations.models import Context, QueueItem, Read, ReadRevision, ReadStatus
from inference import current_scores
from inference.study_vectors import Vector, vectors_of
from studies import access
from studies.models import Clip, Study

# Whole weeks, the upper end left out; infants of 37 weeks and more are born at term.
_WEEKS = ((0, 24), (24, 26), (26, 28), (28, 30), (30, 32), (32, 37))
MAX_SCANNER = 80


def with_pictures() -> QuerySet[Study]:
    """Studies that can be shown to a reader."""
    return access.every_study().filter(Exists(Clip.objects.with_frames().filter(study=OuterRef("pk"))))


def in_active_queues() -> QuerySet[QueueItem]:
    return QueueItem.objects.filter(queue__active=True)


def unlabelled() -> QuerySet[Study]:
    """Studies with pictures that nobody has read and no active queue holds."""
    committed = Read.objects.filter(status=ReadStatus.COMMITTED).values("study")
    return with_pictures().exclude(pk__in=committed).exclude(pk__in=in_active_queues().values("study"))


def labelled() -> list[int]:
    """Studies that somebody has read."""
    return sorted(set(Read.objects.filter(status=ReadStatus.COMMITTED).values_list("study_id", flat=True)))


@dataclass(frozen=True)
class Margin:
    """How far a study's probability lies from the threshold of its flag."""

    distance: float
    """In log odds, 0 and more."""
    reason: str


@dataclass
class CandidatePool:
    """What a sampling strategy chooses from. It names a candidate by its place in ``studies``."""

    studies: list[Study]

    def margins(self) -> dict[int, Margin]:
        """By place, of those that a model has scored."""
        scores = current_scores.current_scores([study.pk for study in self.studies])
        margins = {}
        for place, study in enumerate(self.studies):
            score = scores.get(study.pk)
            if score is not None and score.probability is not None:
                margins[place] = _margin(score.probability, score.threshold)
        return margins

    def vectors(self) -> dict[int, Vector]:
        """By place, of those whose embeddings are kept on this machine."""
        places = {study.pk: place for place, study in enumerate(self.studies)}
        return {places[key]: vector for key, vector in vectors_of(places).items()}


def _margin(probability: float, threshold: float) -> Margin:
    distance = abs(_log_odds(probability) - _log_odds(threshold))
    return Margin(distance, f"The model was unsure: {probability:.2f}, where the threshold is {threshold:.2f}.")


def _log_odds(probability: float) -> float:
    clamped = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(clamped / (1 - clamped))


def readers_differed() -> dict[int, bool]:
    """Studies that two readers or more have answered blinded, and whether their first answers differ."""
    answers: dict[int, dict[int, Any]] = {}
    first = ReadRevision.objects.filter(number=1, read__context=Context.QUEUE).order_by("committed_at", "pk")
    for study, reader, positive, findings in first.values_list(
        "read__study_id", "read__reader_id", "positive", "findings"
    ):
        answer = (positive, findings.get("right") or 0, findings.get("left") or 0)
        answers.setdefault(study, {}).setdefault(reader, answer)
    return {study: len(set(by_reader.values())) > 1 for study, by_reader in answers.items() if len(by_reader) > 1}


def scanners(studies: Iterable[int]) -> dict[int, str]:
    """Maker and model of each study's scanner, where its pictures name one."""
    keys, scanner_of = set(studies), {}
    named = Clip.objects.exclude(device="", manufacturer="").order_by("-pk")
    for study, maker, device in named.values_list("study_id", "manufacturer", "device"):
        if study in keys:
            scanner_of[study] = f"{maker} {device}".strip()[:MAX_SCANNER]
    return scanner_of


def ages(studies: Iterable[int]) -> dict[int, str]:
    """Gestational age at birth, in bands, where it is known."""
    keys = set(studies)
    known = access.every_study().filter(patient__gestational_age_days__isnull=False)
    rows = known.values_list("pk", "patient__gestational_age_days")
    return {study: _band(days // 7) for study, days in rows if days is not None and study in keys}


def _band(weeks: int) -> str:
    for low, high in _WEEKS:
        if weeks < high:
            return f"less than {high} weeks" if low == 0 else f"{low} to {high - 1} weeks"
    return "37 weeks or later"
