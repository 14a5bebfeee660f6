"""Why a study stands where it stands, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from studies.models import Priority, Study, StudyStatus

if TYPE_CHECKING:
    from worklist.rows import Page

_CLINICAL = "{priority}: clinical priority comes before everything."
_NEAR = "It has waited {waited} of the {cap} that no study waits beyond."
_BLINDED = "You have it in a label queue, so its AI output is hidden from you. It waits by time."
_DOWN = "Scoring is down, so waiting time alone decides."
_UNSCORED = "It is not scored yet, and goes before those not suspected, by waiting time."
_NOT_ANALYSED = "It is not analysed ({reason}), and goes before those not suspected, by waiting time."
_NOT_SUSPECTED = "It is not suspected, and goes by waiting time."


def duration(seconds: float) -> str:
    """``19 min``, ``3 h 05``."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02}" if hours else f"{minutes} min"


def why(page: Page, study: Study) -> str:
    """The reason that the reading order had, for this reader."""
    if study.status == StudyStatus.READ:
        return f"Read at {timezone.localtime(study.read_at):%H:%M}." if study.read_at else "Read."
    band = page.bands.get(study.pk)
    if band == "priority":
        return _CLINICAL.format(priority=Priority(study.priority).label)
    if band == "near_limit":
        cap = settings.WAITING_CAP.total_seconds()
        return _NEAR.format(waited=duration(page.waited(study)), cap=duration(cap))
    return _by_score(page, study)


def _by_score(page: Page, study: Study) -> str:
    score = page.visible_score(study)
    if study.uid in page.board.blinded:
        return _BLINDED
    if not page.board.policy.ai:
        return _DOWN
    if score is None:
        return _UNSCORED
    if score.flag == "suspected":
        return _suspected(score.probability, score.flag_reason)
    if score.flag == "not_suspected":
        return _NOT_SUSPECTED
    return _NOT_ANALYSED.format(reason=score.flag_reason.rstrip("."))


def _suspected(probability: float | None, reason: str) -> str:
    shown = f" ({probability:.2f})" if probability is not None and settings.SHOW_PROBABILITY else ""
    return f"It is suspected{shown}; the suspected go by probability. {reason}".strip()
