"""Who has a study open. A claim is taken by compare-and-set, seen by everybody, and lapses when it is not renewed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from annotations.models import Read
from live.models import Audience
from live.publish import publish
from studies import study_status
from studies.models import Study, StudyStatus
from studies.study_status import Step
from worklist.models import Claim
from worklist.payloads import ClaimPayload


class ClaimedByOther(Exception):
    """Somebody else has the study; ``claim`` says who and since when."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"{claim.user.display} has this study open.")
        self.claim = claim


class AlreadyRead(Exception):
    """There is nothing left to claim."""


def _oldest_live() -> datetime:
    return timezone.now() - timedelta(minutes=settings.CLAIM_MINUTES)


def live_claims() -> QuerySet[Claim]:
    return Claim.objects.filter(renewed_at__gt=_oldest_live()).select_related("user")


def holder(study: Study) -> Claim | None:
    """Whoever has the study open now."""
    return live_claims().filter(study=study).first()


def payload(claim: Claim, user: User) -> ClaimPayload:
    """Who has the study, told to ``user``."""
    return {
        "username": claim.user.username,
        "display": claim.user.display,
        "you": claim.user_id == user.pk,
        "since": claim.since.isoformat(),
    }


@transaction.atomic
def take(study: Study, user: User) -> Claim:
    """Claim a waiting study, or renew one's own claim. Raises ClaimedByOther, or AlreadyRead."""
    now = timezone.now()
    own = Claim.objects.filter(study=study, user=user)
    if study.status != StudyStatus.READ and own.update(renewed_at=now):
        return own.select_related("user").get()
    study = study_status.lock(study.pk)
    if study.status == StudyStatus.READ:
        raise AlreadyRead
    start = {"user": user, "since": now, "renewed_at": now}
    claim, made = Claim.objects.get_or_create(study=study, defaults=start)
    if not made:
        claim = _take_over(claim, user, now)
    _move(study, Step.CLAIM)
    return claim


def _take_over(claim: Claim, user: User, now: datetime) -> Claim:
    """A lapsed claim goes to the first who asks."""
    lapsed = Claim.objects.filter(pk=claim.pk, renewed_at=claim.renewed_at, renewed_at__lte=_oldest_live())
    if not lapsed.update(user=user, since=now, renewed_at=now):
        raise ClaimedByOther(Claim.objects.select_related("user").get(pk=claim.pk))
    return Claim.objects.select_related("user").get(pk=claim.pk)


def take_if_free(study: Study, user: User) -> Claim | None:
    """What opening a study does. Returns who has it then, None where it is read already."""
    try:
        return take(study, user)
    except ClaimedByOther as error:
        return error.claim
    except AlreadyRead:
        return None


@transaction.atomic
def release(study: Study, user: User) -> None:
    """Give one's own claim back; without one nothing happens. Raises ClaimedByOther where it is somebody else's."""
    study = study_status.lock(study.pk)
    claim = holder(study)
    if claim is not None and claim.user_id != user.pk:
        raise ClaimedByOther(claim)
    if Claim.objects.filter(study=study, user=user).delete()[0]:
        _move(study, Step.RELEASE)


def when_committed(read: Read) -> None:
    """A read that counts ends whatever claim there was, in the same transaction. Registered with annotations."""
    if Claim.objects.filter(study=read.study_id).delete()[0]:
        _move(read.study, Step.RELEASE)


def lapse() -> int:
    """Take back claims that were not renewed, so that open lists show the study as waiting again. A worker's tick."""
    expired = list(Claim.objects.filter(renewed_at__lte=_oldest_live())[:100])
    return sum(_lapse(claim) for claim in expired)


@transaction.atomic
def _lapse(claim: Claim) -> bool:
    study = study_status.lock(claim.study_id)
    lapsed = Claim.objects.filter(pk=claim.pk, renewed_at=claim.renewed_at).delete()[0]
    if lapsed:
        _move(study, Step.RELEASE)
    return bool(lapsed)


def _move(study: Study, step: Step) -> None:
    study_status.move(study, step)
    publish("claim", audience=Audience.READERS, study_uid=study.uid)
