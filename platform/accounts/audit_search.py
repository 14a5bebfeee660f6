"""Looking through the audit trail, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.dateparse import parse_date

from accounts.models import AuditEntry
from common.append_only import AppendOnlyQuerySet
from common.local_time import midnight

PAGE = 100
_EXACT = {
    "user": "username",
    "action": "action",
    "study_uid": "study_uid",
    "patient_id": "patient_id",
    "outcome": "outcome",
}


@dataclass(frozen=True)
class Shown:
    """One page of the trail, the filters that it went through, and where older and the newest entries are."""

    entries: list[dict[str, Any]]
    filters: dict[str, str]
    next_url: str | None
    newest_url: str | None


def _day(text: str) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return midnight(day) if day else None


def _filters(asked: Mapping[str, str]) -> dict[str, str]:
    names = [*_EXACT, "since", "until"]
    return {name: asked[name].strip()[:150] for name in names if asked.get(name, "").strip()}


def _matching(filters: dict[str, str]) -> AppendOnlyQuerySet[AuditEntry]:
    entries = AuditEntry.objects.filter(**{_EXACT[name]: filters[name] for name in filters.keys() & _EXACT.keys()})
    since, until = _day(filters.get("since", "")), _day(filters.get("until", ""))
    if since:
        entries = entries.filter(at__gte=since)
    return entries.filter(at__lt=until + timedelta(days=1)) if until else entries


def _row(entry: AuditEntry) -> dict[str, Any]:
    fields = ("id", "at", "username", "address", "action", "patient_id", "study_uid", "outcome", "detail")
    return {field: getattr(entry, field) for field in fields}


def show(asked: Mapping[str, str]) -> Shown:
    """A page of entries, newest first, by filters ``user, action, study_uid, patient_id, outcome, since, until``.

    ``before`` is the entry that the page before ended with; anything that is no number starts from the newest.
    """
    filters = _filters(asked)
    entries = _matching(filters).order_by("-id")
    before = asked.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        entries = entries.filter(id__lt=int(before))
    found = list(entries[: PAGE + 1])
    next_url = "?" + urlencode({**filters, "before": found[PAGE - 1].pk}) if len(found) > PAGE else None
    newest_url = "?" + urlencode(filters) if before else None
    return Shown([_row(entry) for entry in found[:PAGE]], filters, next_url, newest_url)


def actions() -> list[str]:
    """What the filter offers."""
    return list(AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct())
