"""The bytes of quarantined files: how much of the disk they may take, and for how long.

They lie in a store of their own (``storage.quarantine``), so that nothing here can touch a patient's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts import audit
from studies import storage
from studies.models import Holding, QuarantinedFile, QuarantineState
from studies.storage import StagedFile

CONFLICT = "conflict"
_SWEEP_SECONDS = 3600
_BATCH = 200
_swept_at = float("-inf")


def kept() -> QuerySet[QuarantinedFile]:
    """Files whose bytes lie in the quarantine's store."""
    return QuarantinedFile.objects.filter(state=QuarantineState.OPEN, holding=Holding.KEPT)


def room() -> int:
    """Bytes that the quarantine may still take."""
    return settings.QUARANTINE_MAX_BYTES - _total(kept())


def room_for_refused() -> int:
    """The same for files that are no images of ours: half is left to conflicts, which may be some infant's."""
    return min(room(), settings.QUARANTINE_MAX_BYTES // 2 - _total(kept().exclude(code=CONFLICT)))


def _total(rows: QuerySet[QuarantinedFile]) -> int:
    return rows.aggregate(total=Sum("size"))["total"] or 0


def put(files: Sequence[StagedFile]) -> None:
    """Make staged files durable, all or (after an error) again."""
    if files:
        storage.quarantine().keep(files)


def path_of(row: QuarantinedFile) -> Path:
    """A local file with the bytes; raises storage.Missing where they are not kept, storage.Corrupt."""
    if row.state in (QuarantineState.REPLACED, QuarantineState.DELETED):
        return storage.verified(row.digest)
    if row.holding != Holding.KEPT:
        raise storage.Missing(row.digest)
    return storage.verified(row.digest, storage.quarantine())


def remove(row: QuarantinedFile) -> None:
    """Take the bytes away once the transaction is committed; the row says so in it."""
    if row.holding == Holding.KEPT:
        row.holding = Holding.REMOVED
        digest = row.digest
        transaction.on_commit(lambda: _remove_unless_kept(digest))


def _remove_unless_kept(digest: str) -> None:
    if not kept().filter(digest=digest).exists():
        storage.quarantine().remove(digest)


def sweep() -> None:
    """Forget what was kept long enough, at most once an hour; cheap to call often."""
    global _swept_at
    if time.monotonic() - _swept_at > _SWEEP_SECONDS:
        _swept_at = time.monotonic()
        expire()


def expire() -> int:
    """Remove the bytes of refused files after the site's days; the rows stay. Conflicts wait for an answer."""
    before = timezone.now() - timedelta(days=settings.QUARANTINE_DAYS)
    due = kept().exclude(code=CONFLICT).filter(last_received_at__lt=before).order_by("pk")
    return sum(_expire(pk) for pk in list(due.values_list("pk", flat=True)[:_BATCH]))


@transaction.atomic
def _expire(pk: int) -> bool:
    row = kept().select_for_update().filter(pk=pk).first()
    if row is None:
        return False
    remove(row)
    row.holding, row.state, row.settled_at = Holding.EXPIRED, QuarantineState.DISCARDED, timezone.now()
    row.settled_why = f"Nobody answered within {settings.QUARANTINE_DAYS} days."
    row.save(update_fields=["holding", "state", "settled_at", "settled_why"])
    audit.record(None, "quarantine.expired", patient_id=row.patient_id, study_uid=row.study_uid, file=row.pk)
    return True
