"""Quarantined files as the API answers them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypedDict

from django.conf import settings
from django.db.models import Count

from studies.models import Clip, Holding, QuarantinedFile, QuarantineState, Receipt
from studies.quarantine import settle, shelf

SENDINGS = 20
_WAYS = {
    "stow": "STOW-RS",
    "upload": "upload page",
    "folder": "manage.py ingest",
    "dimse": "C-STORE",
    "quarantine": "quarantine",
}


class QuarantineRow(TypedDict):
    """A file that was not taken in. Empty text means unknown."""

    id: int
    state: QuarantineState
    code: Annotated[str, "why it was not taken in, for a program"]
    reason: Annotated[str, "why it was not taken in"]
    sender: Annotated[str, "who sent it, and by which way"]
    source: Annotated[str, "stow, upload, folder, …"]
    address: str | None
    received_at: datetime
    last_received_at: datetime
    times: Annotated[int, "how often the same file came"]
    path: Annotated[str, "what the sender called it"]
    sop_uid: str
    study_uid: str
    patient_id: Annotated[str, "the hospital's identifier, where it could be read"]
    study_url: Annotated[str | None, "of the study that holds an image of the same SOP Instance UID"]
    digest: Annotated[str, "SHA-256 of its bytes"]
    size: Annotated[int | None, "bytes"]
    holding: Holding
    holding_note: Annotated[str, "the same in a sentence"]
    settled_at: datetime | None
    settled_by: str
    settled_why: str
    outcome: Annotated[str, "what came of accepting it"]
    can_accept: bool
    can_discard: bool
    url: str
    download_url: Annotated[str | None, "null where its bytes are not kept"]


class Sending(TypedDict):
    """One time that a file came."""

    at: datetime
    sender: str
    path: str


class QuarantineDetail(QuarantineRow):
    """The same, with the latest times that it came."""

    sendings: Annotated[list[Sending], "the latest first"]


class QuarantinePage(TypedDict):
    """Files that were not taken in, the newest first, and what the quarantine takes of the disk."""

    results: list[QuarantineRow]
    next: str | None
    previous: str | None
    open: Annotated[int, "files that wait for an admin"]
    kept_bytes: int
    limit_bytes: int
    keep_days: Annotated[int, "after which the bytes of refused files are removed"]


def describe(rows: Sequence[QuarantinedFile]) -> list[QuarantineRow]:
    """Rows with their senders at hand; two queries for all of them."""
    sop_uids = [row.sop_uid for row in rows if row.sop_uid]
    here = dict(Clip.objects.filter(sop_uid__in=sop_uids).order_by().values_list("sop_uid", "study__uid"))
    receipts = Receipt.objects.filter(quarantined__in=[row.pk for row in rows]).order_by()
    times = dict(receipts.values_list("quarantined").annotate(times=Count("pk")))
    return [_row(row, here.get(row.sop_uid), times.get(row.pk, 1)) for row in rows]


def describe_one(row: QuarantinedFile) -> QuarantineDetail:
    receipts = row.receipts.select_related("sent_by").order_by("-pk")[:SENDINGS]
    sendings: list[Sending] = [{"at": each.at, "sender": _sender(each), "path": each.path} for each in receipts]
    return {**describe([row])[0], "sendings": sendings}


def _sender(sent: QuarantinedFile | Receipt) -> str:
    way = _WAYS.get(sent.source, sent.source)
    return f"{sent.sent_by.display} ({way})" if sent.sent_by else way


def _row(row: QuarantinedFile, study_uid: str | None, times: int) -> QuarantineRow:
    url = f"/api/v1/quarantine/{row.pk}/"
    return {
        "id": row.pk,
        "state": QuarantineState(row.state),
        "code": row.code,
        "reason": row.reason,
        "sender": _sender(row),
        "source": row.source,
        "address": row.address,
        "received_at": row.received_at,
        "last_received_at": row.last_received_at,
        "times": times,
        "path": row.path,
        "sop_uid": row.sop_uid,
        "study_uid": row.study_uid,
        "patient_id": row.patient_id,
        "study_url": f"/studies/{study_uid}/" if study_uid else None,
        "digest": row.digest,
        "size": row.size,
        "holding": Holding(row.holding),
        "holding_note": Holding(row.holding).label,
        "settled_at": row.settled_at,
        "settled_by": row.settled_by.display if row.settled_by else "",
        "settled_why": row.settled_why,
        "outcome": row.outcome,
        "can_accept": settle.can_accept(row),
        "can_discard": row.state == QuarantineState.OPEN,
        "url": url,
        "download_url": f"{url}download/" if row.holding == Holding.KEPT else None,
    }


def occupied() -> tuple[int, int, int]:
    """(open files, bytes kept, bytes that may be kept)."""
    limit = settings.QUARANTINE_MAX_BYTES
    return QuarantinedFile.objects.filter(state=QuarantineState.OPEN).count(), limit - shelf.room(), limit
