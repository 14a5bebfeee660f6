"""Leaving an entry in the audit trail. One row for each response that carries a patient's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AuditEntry, AuditSubject, User

FEW = 1000
"""Studies that a question to the database names one by one."""
Subject = tuple[str, str]
"""An infant's number and the UID of the study that was shown; empty where none was."""

ACTION = re.compile(r"[a-z]+(_[a-z]+)*\.([a-z]+_)*([a-z]+ed(_in|_out)?|made|reread|split)")
"""``noun.verb-past``: what was done to what, as ``study.viewed`` or ``label_queue.progress_viewed``."""


def record(
    request: HttpRequest | None,
    action: str,
    *,
    user: User | AnonymousUser | None = None,
    patient_id: str = "",
    study_uid: str = "",
    outcome: str = "ok",
    **detail: Any,
) -> AuditEntry:
    """Add one entry, in the caller's transaction: if it cannot be written, nothing is shown.

    ``user`` is taken from the request when it is not given; detail must be JSON. Raises ValueError for an action that
    is no ``noun.verb-past``: the audit page's filter offers each of them, so that there is one name for one thing.
    """
    if not ACTION.fullmatch(action):
        raise ValueError(f"an audited action is noun.verb-past, not {action!r}")
    asking = user if user is not None else getattr(request, "user", None)
    person = asking if isinstance(asking, User) else None
    return AuditEntry.objects.create(
        user=person,
        username=person.username if person else "",
        address=request.META.get("REMOTE_ADDR") or None if request is not None else None,
        action=action,
        patient_id=patient_id[:64],
        study_uid=study_uid[:64],
        outcome=outcome,
        detail=detail,
    )


def record_list(
    request: HttpRequest | None,
    action: str,
    *,
    user: User | AnonymousUser | None = None,
    subjects: Iterable[Subject],
    **detail: Any,
) -> AuditEntry:
    """The same for what shows several infants at once, a list or an export: each is found by number and by study."""
    entry = record(request, action, user=user, **detail)
    _name_subjects(entry, subjects)
    return entry


def _name_subjects(entry: AuditEntry, subjects: Iterable[Subject]) -> None:
    """Keep who was shown; those whom this person saw in the same way today are there already. Two queries at most,
    and two more where a study's UID does not tell whom."""
    shown = {(number[:64], uid[:64]) for number, uid in subjects} - {("", ""), (entry.patient_id, entry.study_uid)}
    if not shown:
        return
    day = timezone.now().date()
    known = AuditSubject.objects.filter(user=entry.user_id, day=day, action=entry.action)
    if len(shown) <= FEW:
        known = known.filter(study_uid__in={uid for _, uid in shown})
    before = dict(known.values_list("study_uid", "patient_id"))
    named = dict(before)
    alone = [subject for subject in sorted(shown) if not _named_by_study(subject, named)]
    rows = [
        AuditSubject(
            entry=entry, user_id=entry.user_id, action=entry.action, patient_id=named[uid], study_uid=uid, day=day
        )
        for uid in sorted(named.keys() - before.keys())
    ]
    AuditSubject.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)
    _name_alone(entry, alone)


def _named_by_study(subject: Subject, named: dict[str, str]) -> bool:
    """Whether the row of its study says whom; the first infant of a study has that row."""
    number, uid = subject
    return bool(uid) and named.setdefault(uid, number) == number


def _name_alone(entry: AuditEntry, subjects: Sequence[Subject]) -> None:
    """An entry for each infant without a study, and for each further one that a study came under; once a day."""
    if not subjects:
        return
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    today = AuditEntry.objects.filter(user=entry.user_id, action=entry.action, at__gte=midnight)
    known = set(today.filter(patient_id__in={number for number, _ in subjects}).values_list("patient_id", "study_uid"))
    rows = [
        AuditEntry(
            user_id=entry.user_id,
            username=entry.username,
            address=entry.address,
            action=entry.action,
            patient_id=number,
            study_uid=uid,
            detail={"among": entry.pk},
        )
        for number, uid in subjects
        if (number, uid) not in known
    ]
    AuditEntry.objects.bulk_create(rows, batch_size=2000)


def refused(request: HttpRequest, **detail: Any) -> None:
    """Remember that something was refused in this request; ``write_refusals`` writes it once the answer is made."""
    _refusals_of(request).append(detail)


def write_refusals(request: HttpRequest) -> None:
    """One entry for each, outside of the transaction that the refusal rolled back."""
    for detail in _refusals_of(request):
        record(request, "access.refused", outcome="refused", method=request.method, path=request.path[:200], **detail)


def _refusals_of(request: HttpRequest) -> list[dict[str, Any]]:
    refusals: list[dict[str, Any]] = request.__dict__.setdefault("audit_refusals", [])
    return refusals
