"""The one door to a patient's data. Closed by default; what cannot be seen and what does not exist look the same.

Upper rooms widen what a person may see through ``also_visible``. Opening a study leaves an audit entry in the same
transaction, so that nothing is shown unless it is written down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
from rest_framework.request import Request

from accounts import audit
from accounts.models import User
from accounts.roles import Role, has_role
from studies.models import Clip, Patient, QuarantinedFile, Study

logger = logging.getLogger(__name__)

Person = User | AnonymousUser
Rule = Callable[[User], Q]

Row = TypeVar("Row", bound=Model)

_NOTHING = Q(pk__in=[])
_rules: list[Rule] = []


def also_visible(rule: Rule) -> Rule:
    """Register a rule: given a signed-in person, which more studies that person may see. Usable as a decorator."""
    _rules.append(rule)
    return rule


def with_deleted() -> QuerySet[Study]:
    """All studies that ever came, for ingest, which must know them, and for what an admin may bring back."""
    return Study.objects.all()  # noqa: TID251 - the door itself


def every_study() -> QuerySet[Study]:
    """All studies that nobody deleted, for machinery that shows nothing to anybody: revisions, scoring, snapshots."""
    return with_deleted().filter(deleted_at__isnull=True)


def sees_everything(user: Person) -> bool:
    return has_role(user, Role.RADIOLOGIST, Role.ADMIN)


def visible_studies(user: Person) -> QuerySet[Study]:
    """The studies that this person may see."""
    if sees_everything(user):
        return every_study()
    if not has_role(user, Role.ANNOTATOR, Role.ADJUDICATOR):
        return every_study().none()
    allowed = _NOTHING
    for rule in _rules:
        allowed |= rule(cast(User, user))
    return every_study().filter(allowed).distinct()


def visible_rows(user: Person, rows: QuerySet[Row], study: str) -> QuerySet[Row]:
    """Those whose study, which they name ``study``, this person may see."""
    if sees_everything(user):
        return rows.filter(**{f"{study}__deleted_at__isnull": True})
    return rows.filter(**{f"{study}__in": visible_studies(user)})


def visible_clips(user: Person, uid: str) -> QuerySet[Clip]:
    """The clips of a study, if this person may see it."""
    return Clip.objects.filter(study__in=visible_studies(user).filter(uid=uid))


def open_study(request: HttpRequest | Request, uid: str, action: str, **detail: Any) -> Study:
    """The study, with its patient, and an audit entry that ``action`` was done with it.

    Raises Http404 for an unknown study and for a forbidden one alike. The caller's transaction must be open.
    """
    _require_transaction()
    study = visible_studies(request.user).filter(uid=uid).select_related("patient").first()
    if study is None:
        log_refusal(request, action, uid)
        raise Http404
    audit.record(
        _django_request(request),
        action,
        user=request.user,
        patient_id=study.patient.patient_id,
        study_uid=study.uid,
        **detail,
    )
    return study


def open_clip(request: HttpRequest | Request, uid: str, sop_uid: str, action: str, **detail: Any) -> Clip:
    """A clip of a study that this person may see; like open_study."""
    study = open_study(request, uid, action, sop_uid=sop_uid, **detail)
    clip = study.clips.filter(sop_uid=sop_uid).first()
    if clip is None:
        raise Http404
    clip.study = study
    return clip


def open_patient(request: HttpRequest | Request, pk: int, action: str, **detail: Any) -> Patient:
    """A patient, for people who see everything; Http404 for everybody else."""
    _require_transaction()
    patient = Patient.objects.filter(pk=pk).first() if sees_everything(request.user) else None
    if patient is None:
        log_refusal(request, action, f"patient {pk}")
        raise Http404
    audit.record(_django_request(request), action, user=request.user, patient_id=patient.patient_id, **detail)
    return patient


def open_quarantined(request: HttpRequest | Request, pk: int, action: str, **detail: Any) -> QuarantinedFile:
    """A quarantined file, locked, for an admin; Http404 for everybody else."""
    _require_transaction()
    rows = QuarantinedFile.objects.select_for_update(of=("self",)).select_related("sent_by", "settled_by")
    row = rows.filter(pk=pk).first() if has_role(request.user, Role.ADMIN) else None
    if row is None:
        log_refusal(request, action, f"quarantined file {pk}")
        raise Http404
    audit.record(
        _django_request(request),
        action,
        user=request.user,
        patient_id=row.patient_id,
        study_uid=row.study_uid,
        file=row.pk,
        sop_uid=row.sop_uid,
        **detail,
    )
    return row


def subjects_under(numbers: Collection[str]) -> list[audit.Subject]:
    """The infants of these numbers, for the trail: with each of their studies, or with none."""
    found = _subjects("patient__patient_id", list(numbers))
    return found + [(number, "") for number in sorted(set(numbers) - {number for number, _ in found})]


def subjects_of(uids: Collection[str]) -> list[audit.Subject]:
    """The infants of these studies, for the trail."""
    return _subjects("uid", list(uids))


def _subjects(field: str, values: Sequence[str]) -> list[audit.Subject]:
    found: list[audit.Subject] = []
    for first in range(0, len(values), audit.FEW):
        some = every_study().filter(**{f"{field}__in": values[first : first + audit.FEW]})
        found += list(some.values_list("patient__patient_id", "uid"))
    return found


def note_damage(request: HttpRequest | Request, study: Study, sop_uid: str) -> None:
    """That somebody asked for a file whose stored bytes have changed."""
    audit.record(
        _django_request(request),
        "instance.damage_noticed",
        user=request.user,
        patient_id=study.patient.patient_id,
        study_uid=study.uid,
        outcome="refused",
        sop_uid=sop_uid,
    )


def log_refusal(request: HttpRequest | Request, action: str, subject: str) -> None:
    """To the log, and to the trail after the answer: the Http404 that follows rolls this transaction back."""
    logger.warning("refused: user %s, %s of %r", request.user.pk, action, subject[:64])
    audit.refused(_django_request(request), tried=action, subject=subject[:64])


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("open patient data inside transaction.atomic")


def _django_request(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request
