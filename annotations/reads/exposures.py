"""What a reader was shown of the AI: one row for each reader and score, at the first time, and again for attention.

Whatever gives out a flag, a probability or attention says so here, in the transaction or before the answer, so that a
read can say what its reader knew. An event carries identifiers only, and shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypedDict

from django.utils import timezone

from accounts.models import User
from annotations.models import Exposure, Where
from inference import current_scores
from inference.current_scores import CurrentScore
from studies.models import Study

STUDIES_AT_ONCE = 500


class AiShown(TypedDict):
    """One thing that a reader was shown before a commit."""

    flag: Annotated[str, "the AI's flag"]
    attention: Annotated[bool, "attention or heat maps too"]
    where: Annotated[str, "list, score, discussion, history, export or report"]
    at: Annotated[str | None, "ISO 8601, the first time; None in an export without identifiers"]


def record(reader: User, scores: Iterable[CurrentScore], where: Where, *, attention: bool = False) -> None:
    """These answers were shown. One query however many there are, and a second one only where something is new."""
    by_key = {score.score_id: score for score in scores}
    if not by_key:
        return
    known = Exposure.objects.filter(reader=reader, score__in=by_key)
    if attention:
        known = known.filter(attention=True)
    new = by_key.keys() - set(known.values_list("score_id", flat=True))
    if new:
        Exposure.objects.bulk_create(
            [_row(reader, by_key[key], where, attention=attention) for key in sorted(new)], ignore_conflicts=True
        )


def _row(reader: User, score: CurrentScore, where: Where, *, attention: bool) -> Exposure:
    return Exposure(
        reader=reader,
        study_id=score.study_id,
        score_id=score.score_id,
        flag=score.flag,
        attention=attention,
        where=where,
        at=timezone.now(),
    )


def record_studies(reader: User, studies: Iterable[int], where: Where, *, attention: bool = False) -> None:
    """The present answers to these studies, by key, were shown."""
    keys = sorted(set(studies))
    for first in range(0, len(keys), STUDIES_AT_ONCE):
        scores = current_scores.current_scores(keys[first : first + STUDIES_AT_ONCE])
        record(reader, scores.values(), where, attention=attention)


def of(reader: User, study: Study) -> list[AiShown]:
    """What this reader has been shown of this study, in the order of time."""
    rows = Exposure.objects.filter(reader=reader, study=study).order_by("at", "pk")
    return [
        {"flag": row.flag, "attention": row.attention, "where": row.where, "at": row.at.isoformat()} for row in rows
    ]
