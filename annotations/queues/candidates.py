"""What is known of studies that may be labelled next, and of those that are: scores, vectors, scanners, ages."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from annotations.models import Context, Read, ReadRevision, ReadStatus
from inference import current_scores
from inference.study_vectors import Vector, vectors_of
from studies import access
from studies.models import Clip, Study

# The last one is open to the right: infants of 37 weeks and more are born at term.
_WEEKS = ((0, 24), (24, 26), (26, 28), (28, 30), (30, 32), (32, 37))


@dataclass(frozen=True)
class Margin:
    """How far, in log odds, a study's probability lies from the threshold of its flag."""

    distance: float
    reason: str


@dataclass
class Pool:
    """Candidates; places in ``studies`` are what a strategy names them by."""

    studies: list[Study]

    def margins(self) -> dict[int, Margin]:
        scores = current_scores.current_scores([study.pk for study in self.studies])
        found = {}
        for at, study in enumerate(self.studies):
            score = scores.get(study.pk)
            if score is not None and score.probability is not None:
                found[at] = _margin(score.probability, score.threshold)
        return found

    def vectors(self) -> dict[int, Vector]:
        places = {study.pk: at for at, study in enumerate(self.studies)}
        return {places[key]: vector for key, vector in vectors_of(places).items()}


def _margin(probability: float, threshold: float) -> Margin:
    distance = abs(_log_odds(probability) - _log_odds(threshold))
    return Margin(distance, f"The model was unsure: {probability:.2f}, where the threshold is {threshold:.2f}.")


def _log_odds(share: float) -> float:
    kept = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def labelled() -> list[int]:
    """Studies that somebody has read."""
    return sorted(set(Read.objects.filter(status=ReadStatus.COMMITTED).values_list("study_id", flat=True)))


def vectors(studies: Iterable[int]) -> dict[int, Vector]:
    return vectors_of(studies)


def read_twice() -> dict[int, bool]:
    """Studies that two readers or more have answered blinded, and whether their first answers differ."""
    said: dict[int, dict[int, Any]] = {}
    first = ReadRevision.objects.filter(number=1, read__context=Context.QUEUE).order_by("committed_at", "pk")
    for study, reader, positive, findings in first.values_list(
        "read__study_id", "read__reader_id", "positive", "findings"
    ):
        answer = (positive, findings.get("right") or 0, findings.get("left") or 0)
        said.setdefault(study, {}).setdefault(reader, answer)
    return {study: len(set(answers.values())) > 1 for study, answers in said.items() if len(answers) > 1}


def devices(studies: Iterable[int]) -> dict[int, str]:
    """The scanner of each study, where its pictures name one."""
    wanted, found = set(studies), {}
    named = Clip.objects.exclude(device="", manufacturer="").order_by("-pk")
    for study, maker, device in named.values_list("study_id", "manufacturer", "device"):
        if study in wanted:
            found[study] = f"{maker} {device}".strip()[:80]
    return found


def ages(studies: Iterable[int]) -> dict[int, str]:
    """Gestational age at birth, in bands, where it is known."""
    wanted = set(studies)
    known = access.every_study().filter(patient__gestational_age_days__isnull=False)
    rows = known.values_list("pk", "patient__gestational_age_days")
    return {study: _band(days // 7) for study, days in rows if days is not None and study in wanted}


def _band(weeks: int) -> str:
    for low, high in _WEEKS:
        if weeks < high:
            return f"less than {high} weeks" if low == 0 else f"{low} to {high - 1} weeks"
    return "37 weeks or later"
