"""Imported rows as committed reads in the context "import", and their revisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from annotations.exchange.import_rows import ImportRow
from annotations.label_schema.schema import Findings
from annotations.measurements import drawings
from annotations.models import Context, Read, ReadRevision, ReadStatus
from studies.models import Clip, StudyRevision

ReadKey = tuple[int, int]
"""(study, reader)."""


def store(rows: Sequence[ImportRow], *, definition: str, digest: str) -> None:
    """Add a revision for each row, and the read where there is none. The caller's transaction must be open.

    ``definition``: that of positive which the rows were judged by; ``digest``: the SHA-256 of the file.
    """
    now = timezone.now()
    studies = {row.study for row in rows}
    reads = _reads(rows, studies, now)
    revisions = Counter(ReadRevision.objects.filter(read__in=[*reads.values()]).values_list("read", flat=True))
    latest = dict(StudyRevision.objects.filter(study__in=studies).order_by("number").values_list("study", "pk"))
    ReadRevision.objects.bulk_create(
        ReadRevision(
            read=(read := reads[row.study, row.reader]),
            number=revisions[read.pk] + 1,
            study_revision_id=latest.get(row.study),
            schema=row.findings["schema"],
            findings=_measured(row),
            comment=row.comment,
            positive=row.positive,
            definition=definition,
            device={"import": digest, "line": row.line},
            idempotency_key=f"{digest[:32]}:{row.line}",
            committed_at=now,
        )
        for row in rows
    )
    _set_drafts(rows, reads)


def _reads(rows: Sequence[ImportRow], studies: set[int], now: datetime) -> dict[ReadKey, Read]:
    """The read of each row, made where there is none."""
    imported = Read.objects.filter(context=Context.IMPORT, study__in=studies)
    reads = {(read.study_id, read.reader_id): read for read in imported}
    fresh = [row for row in rows if (row.study, row.reader) not in reads]
    made = Read.objects.bulk_create(
        Read(
            study_id=row.study, reader_id=row.reader, context=Context.IMPORT, status=ReadStatus.COMMITTED, opened_at=now
        )
        for row in fresh
    )
    return reads | {(read.study_id, read.reader_id): read for read in made}


def _measured(row: ImportRow) -> Findings:
    """The findings with the server's own numbers beside the drawings."""
    if not row.findings["drawings"]:
        return row.findings
    regions = dict(Clip.objects.filter(study=row.study).values_list("sop_uid", "regions"))
    return {**row.findings, "drawings": drawings.measured(row.findings["drawings"], regions)}


def _set_drafts(rows: Sequence[ImportRow], reads: dict[ReadKey, Read]) -> None:
    """What a reader who reopens the read begins with."""
    for row in rows:
        read = reads[row.study, row.reader]
        read.draft, read.draft_version = {"findings": row.findings, "comment": row.comment}, read.draft_version + 1
    Read.objects.bulk_update([reads[row.study, row.reader] for row in rows], ["draft", "draft_version"], batch_size=200)
