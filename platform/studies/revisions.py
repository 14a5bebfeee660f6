"""Quiet periods. A study's set of instances is frozen once none has come for a while; a late image makes the next one.

Upper rooms are told through ``on_revision_closed``: their callbacks run inside the closing transaction, so that what
they enqueue exists if, and only if, the revision does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from live.models import Audience
from live.publish import publish
from studies.access import every_study
from studies.models import Clip, Study, StudyRevision

Callback = Callable[[StudyRevision], None]
_callbacks: list[Callback] = []
_BATCH = 50


def on_revision_closed(callback: Callback) -> Callback:
    """Run ``callback`` inside the transaction that closes each revision. Usable as a decorator."""
    if callback not in _callbacks:
        _callbacks.append(callback)
    return callback


def touch(study: Study, *, now: datetime | None = None) -> None:
    """An instance came, or was taken away: the quiet period starts again.

    In the caller's transaction, which holds the study's row.
    """
    moment = now or timezone.now()
    study.last_image_at = moment
    study.closes_at = moment + settings.QUIET_PERIOD
    study.save(update_fields=["last_image_at", "closes_at", "deleted_at"])


def close_due(now: datetime | None = None) -> int:
    """Close the revision of every study whose quiet period is over; returns how many were closed."""
    moment = now or timezone.now()
    due = every_study().filter(closes_at__lte=moment).order_by("closes_at").values_list("pk", flat=True)[:_BATCH]
    return sum(_close(pk, moment) for pk in list(due))


@transaction.atomic
def _close(pk: int, moment: datetime) -> bool:
    """Close one study's revision, unless somebody else has, or an image came while we waited for the row."""
    study = every_study().select_for_update().filter(pk=pk, closes_at__lte=moment).first()
    if study is None:
        return False
    study.closes_at = None
    study.save(update_fields=["closes_at"])
    revision = _freeze(study)
    for callback in _callbacks:
        callback(revision)
    audit.record(
        None, "study.revision_closed", study_uid=study.uid, revision=revision.number, instances=revision.clips.count()
    )
    publish("study", audience=Audience.READERS, study_uid=study.uid)
    return True


def _freeze(study: Study) -> StudyRevision:
    clips = list(study.clips.order_by("sop_uid"))
    last = study.revisions.order_by("-number").first()
    revision = StudyRevision.objects.create(
        study=study,
        number=(last.number if last else 0) + 1,
        digest=set_digest(clips),
        last_image_at=study.last_image_at,
        closed_at=timezone.now(),
    )
    revision.clips.set(clips)
    return revision


def set_digest(clips: Iterable[Clip]) -> str:
    """One digest for a set of instances, whatever their order."""
    lines = sorted(f"{clip.sop_uid} {clip.digest}" for clip in clips)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
