"""Looking through the audit trail, page by page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from rest_framework.request import Request

from accounts import audit
from accounts.models import AuditEntry
from common.append_only import AppendOnlyQuerySet
from common.local_time import midnight
from common.paging import KeyPages

_EXACT = {
    "user": "username",
    "action": "action",
    "study_uid": "study_uid",
    "patient_id": "patient_id",
    "outcome": "outcome",
}


class EntryPayload(TypedDict):
    """One line of the trail."""

    id: int
    at: datetime
    username: str
    address: str | None
    action: str
    patient_id: str
    study_uid: str
    outcome: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class EntryPage:
    """One page of the trail, the filters that it went through, and where older and the newest entries are."""

    entries: list[EntryPayload]
    filters: dict[str, str]
    next_url: str | None
    newest_url: str | None


def _day(text: str) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return midnight(day) if day else None


def _filters(query: Mapping[str, str]) -> dict[str, str]:
    names = [*_EXACT, "since", "until"]
    return {name: query[name].strip()[:150] for name in names if query.get(name, "").strip()}


def _about(patient_id: str) -> Q:
    """Entries of one patient, and those that name the patient among others."""
    among_others = Q(action__in=audit.NAMING_SEVERAL, detail__patients__icontains=json.dumps(patient_id))
    return Q(patient_id=patient_id) | among_others


def _matching(filters: dict[str, str]) -> AppendOnlyQuerySet[AuditEntry]:
    exact = filters.keys() & _EXACT.keys() - {"patient_id"}
    entries = AuditEntry.objects.filter(**{_EXACT[name]: filters[name] for name in exact})
    if "patient_id" in filters:
        entries = entries.filter(_about(filters["patient_id"]))
    since, until = _day(filters.get("since", "")), _day(filters.get("until", ""))
    if since:
        entries = entries.filter(at__gte=since)
    return entries.filter(at__lt=until + timedelta(days=1)) if until else entries


def _payload(entry: AuditEntry) -> EntryPayload:
    return {
        "id": entry.pk,
        "at": entry.at,
        "username": entry.username,
        "address": entry.address,
        "action": entry.action,
        "patient_id": entry.patient_id,
        "study_uid": entry.study_uid,
        "outcome": entry.outcome,
        "detail": entry.detail,
    }


def search(request: HttpRequest) -> EntryPage:
    """A page of entries, newest first, by filters ``user, action, study_uid, patient_id, outcome, since, until``."""
    filters, pages = _filters(request.GET), KeyPages()
    entries = pages.paginate_queryset(_matching(filters), Request(request)) or []
    newest_url = "?" + urlencode(filters) if request.GET.get(pages.cursor_query_param) else None
    return EntryPage([_payload(entry) for entry in entries], filters, pages.get_next_link(), newest_url)


def actions() -> list[str]:
    """What the filter offers."""
    return list(AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct())
