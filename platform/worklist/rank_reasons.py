"""Why a study stands where it stands, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from inference.current_scores import CurrentScore
from inference.models import Flag
from studies.models import Priority, Study, StudyStatus
from worklist.reading_order import Band

_CLINICAL = "{priority}: clinical priority comes before everything."
_NEAR = "It has waited {waited} of the {cap} that no study waits beyond."
_BLINDED = "You have it in a label queue, so its AI output is hidden from you. It waits by time."
_DOWN = "Scoring is down, so waiting time alone decides."
_UNSCORED = "It is not scored yet, and goes before those not suspected, by waiting time."
_NOT_ANALYSED = "It is not analysed ({reason}), and goes before those not suspected, by waiting time."
_NOT_SUSPECTED = "It is not suspected, and goes by waiting time."


@dataclass(frozen=True)
class Standing:
    """What the reading order knew of a study, for one reader. ``score`` is None where that reader is blinded."""

    study: Study
    band: Band
    waited_seconds: float
    score: CurrentScore | None
    blinded: bool
    ai: bool


def duration(seconds: float) -> str:
    """``19 min``, ``3 h 05``."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02}" if hours else f"{minutes} min"


def why(standing: Standing) -> str:
    """The reason that the reading order had."""
    study = standing.study
    if study.status == StudyStatus.READ:
        return f"Read at {timezone.localtime(study.read_at):%H:%M}." if study.read_at else "Read."
    if standing.band == "priority":
        return _CLINICAL.format(priority=Priority(study.priority).label)
    if standing.band == "near_limit":
        cap = settings.WAITING_CAP.total_seconds()
        return _NEAR.format(waited=duration(standing.waited_seconds), cap=duration(cap))
    return _by_score(standing)


def _by_score(standing: Standing) -> str:
    score = standing.score
    if standing.blinded:
        return _BLINDED
    if not standing.ai:
        return _DOWN
    if score is None:
        return _UNSCORED
    if score.flag == Flag.SUSPECTED:
        return _suspected(score.probability, score.flag_reason)
    if score.flag == Flag.NOT_SUSPECTED:
        return _NOT_SUSPECTED
    return _NOT_ANALYSED.format(reason=score.flag_reason.rstrip("."))


def _suspected(probability: float | None, reason: str) -> str:
    shown = f" ({probability:.2f})" if probability is not None and settings.SHOW_PROBABILITY else ""
    return f"It is suspected{shown}; the suspected go by probability. {reason}".strip()
