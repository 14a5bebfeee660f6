"""What is not taken in goes to the quarantine: its bytes as far as there is room, and a row for an admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from studies.ingest.results import Arrival, IngestResult, Sender
from studies.models import Holding, QuarantinedFile, QuarantineState
from studies.quarantine import shelf

_SAID = {
    Holding.KEPT: "It is kept in quarantine (no. {}).",
    Holding.NO_ROOM: "The quarantine is full: only a record of it is kept (no. {}).",
    Holding.NEVER_WHOLE: "A record of it is in quarantine (no. {}).",
}


def was_replaced(sop_uid: str, digest: str) -> bool:
    """Whether these bytes are a picture that an admin has replaced by another, and that is still here."""
    return QuarantinedFile.objects.filter(state=QuarantineState.REPLACED, sop_uid=sop_uid, digest=digest).exists()


def shelve(arrivals: Sequence[Arrival]) -> None:
    """Put the bytes of what is set aside into the quarantine's store, as long as it has room."""
    left = {True: shelf.room(), False: shelf.room_for_refused()}
    for arrival in arrivals:
        if arrival.is_set_aside and arrival.staged is not None and arrival.staged.size:
            arrival.holding = _holding(arrival.staged.digest, arrival.staged.size, left, is_conflict=arrival.conflicts)
    shelf.put([each.staged for each in arrivals if each.is_set_aside and each.staged and each.holding == Holding.KEPT])


def _holding(digest: str, size: int, left: dict[bool, int], *, is_conflict: bool) -> Holding:
    """``left``: the room for conflicts, and the smaller one for anything else; reduced by what is kept."""
    if shelf.kept().filter(digest=digest).exists():
        return Holding.KEPT
    if size > left[is_conflict]:
        return Holding.NO_ROOM
    left[True] -= size
    left[False] -= 0 if is_conflict else size
    left[False] = min(left.values())
    return Holding.KEPT


def record(
    arrivals: Sequence[Arrival], results: Sequence[IngestResult], sender: Sender, now: datetime
) -> list[IngestResult]:
    """A row for each file that was set aside, in the caller's transaction; the results tell the sender its number."""
    return [
        _recorded(arrival, result, sender, now) if result.refused else result
        for arrival, result in zip(arrivals, results, strict=True)
    ]


def _recorded(arrival: Arrival, result: IngestResult, sender: Sender, now: datetime) -> IngestResult:
    row = _open_row(arrival, result, sender)
    if row is None:
        row = QuarantinedFile.objects.create(**_facts(arrival, result, sender), received_at=now, last_received_at=now)
    else:
        row.last_received_at = now
        row.holding = arrival.holding
        row.save(update_fields=["last_received_at", "holding"])
    return replace(result, quarantined=row.pk)


def _open_row(arrival: Arrival, result: IngestResult, sender: Sender) -> QuarantinedFile | None:
    """The row of the same bytes, if they came before and wait still: whoever sends for ever fills no table.

    Of a file without bytes nothing is known but what it was called and who sent it.
    """
    rows = QuarantinedFile.objects.select_for_update().filter(state=QuarantineState.OPEN)
    if arrival.staged is not None:
        return rows.filter(digest=arrival.staged.digest).order_by("pk").first()
    same = {"digest": "", "path": result.path[-512:], "code": result.code, "source": sender.source}
    return rows.filter(**same, sent_by=sender.user).order_by("pk").first()


def _facts(arrival: Arrival, result: IngestResult, sender: Sender) -> dict[str, Any]:
    return {
        "code": result.code,
        "reason": result.reason,
        "source": sender.source,
        "sent_by": sender.user,
        "address": sender.request.META.get("REMOTE_ADDR") or None if sender.request is not None else None,
        "path": result.path[-512:],
        "sop_uid": result.sop_uid,
        "study_uid": arrival.study_uid,
        "patient_id": arrival.patient_id,
        "digest": arrival.staged.digest if arrival.staged else "",
        "size": arrival.staged.size if arrival.staged else None,
        "holding": arrival.holding,
    }


def told(arrival: Arrival, result: IngestResult) -> IngestResult:
    """With a sentence that tells the sender where the file is."""
    if result.quarantined is None:
        return result
    return replace(result, reason=f"{result.reason} {_SAID[arrival.holding].format(result.quarantined)}")
