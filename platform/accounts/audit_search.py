"""Looking through the audit trail, page by page."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from rest_framework.request import Request

from accounts.models import AuditEntry, AuditSubject
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
_SUBJECTS = ("patient_id", "study_uid")


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


def filters_of(query: Mapping[str, str]) -> dict[str, str]:
    names = [*_EXACT, "since", "until"]
    return {name: query[name].strip()[:150] for name in names if query.get(name, "").strip()}


def matching(filters: dict[str, str]) -> AppendOnlyQuerySet[AuditEntry]:
    """The entries that pass the filters. One of an infant or a study is also one that showed it among others."""
    entries = AuditEntry.objects.all()
    for name in filters.keys() & _EXACT.keys():
        exactly = Q(**{_EXACT[name]: filters[name]})
        if name in _SUBJECTS:
            exactly |= Q(pk__in=AuditSubject.objects.filter(**{name: filters[name]}).values("entry"))
        entries = entries.filter(exactly)
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
    filters, pages = filters_of(request.GET), KeyPages()
    entries = pages.paginate_queryset(matching(filters), Request(request)) or []
    newest_url = "?" + urlencode(filters) if request.GET.get(pages.cursor_query_param) else None
    return EntryPage([_payload(entry) for entry in entries], filters, pages.get_next_link(), newest_url)


def actions() -> list[str]:
    """What the filter offers."""
    return list(AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct())


COLUMNS = tuple(EntryPayload.__annotations__)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file for ``csv``, whose writes are the lines."""

    def write(self, line: str) -> str:
        return line


def csv_lines(filters: dict[str, str]) -> Iterator[str]:
    """The entries that pass the filters, the oldest first, as lines of CSV; a text is never a formula."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for entry in matching(filters).order_by("pk").iterator(chunk_size=2000):
        yield writer.writerow([_cell(value) for value in _payload(entry).values()])


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str("" if value is None else value)
    return f"'{text}" if text.startswith(_FORMULA) else text
