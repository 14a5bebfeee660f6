"""Leaving an entry in the audit trail. One row for each response that carries a patient's data."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import AuditEntry, User

ACTION = re.compile(r"[a-z]+(_[a-z]+)*\.([a-z]+_)*([a-z]+ed(_in|_out)?|made|reread|split)")
"""``noun.verb-past``: what was done to what, as ``study.viewed`` or ``label_queue.progress_viewed``."""

NAMING_SEVERAL = ("dicom_studies.searched", "dicom_series.searched", "dicom_instances.searched")
"""Actions whose one entry may name several patients, in ``detail``: as ``patients``."""


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
