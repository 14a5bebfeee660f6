"""Reads, scores and queue items as the API tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from annotations.label_schema import versions
from annotations.models import Context, QueueItem, Read, ReadRevision, ReadStatus, Unblinding
from annotations.reads.blinding import has_answered
from inference import current_scores
from inference.payloads import StudyScore
from studies.models import Study

BLINDED = {"state": "blinded"}


def told_schema() -> dict[str, Any]:
    """The version that new reads are made with."""
    schema = versions.in_force().schema
    return {"name": schema.name, "document": schema.document}


def told_revision(revision: ReadRevision) -> dict[str, Any]:
    agreement = getattr(revision, "agreement", None)
    return {
        "number": revision.number,
        "findings": revision.findings,
        "comment": revision.comment,
        "committed_at": revision.committed_at,
        "schema": revision.schema,
        "positive": revision.positive,
        "definition": revision.definition,
        "duration_ms": revision.duration_ms,
        "agreement": agreement.agree if agreement else None,
    }


def told_draft(read: Read) -> dict[str, Any]:
    return {
        "findings": read.draft.get("findings"),
        "comment": read.draft.get("comment", ""),
        "version": read.draft_version,
        "saved_at": read.draft_saved_at,
    }


def told_own(read: Read | None) -> dict[str, Any] | None:
    """The reader's own read: the draft and every revision. None before there is anything."""
    if read is None or (read.draft_version == 0 and read.status == ReadStatus.DRAFT):
        return None
    revisions = read.revisions.select_related("agreement")
    return {
        "id": read.pk,
        "context": read.context,
        "item": read.item_id,
        "status": read.status,
        "draft": told_draft(read),
        "revisions": [told_revision(revision) for revision in revisions],
        "unblinded": _unblinded(read),
        "schema": (read.draft.get("findings") or {}).get("schema", ""),
    }


def _unblinded(read: Read) -> dict[str, Any] | None:
    """When and why an adjudicator asked for the AI's answer and the readers' names."""
    if read.context != Context.ADJUDICATION:
        return None
    asked = Unblinding.objects.filter(item=read.item_id, user=read.reader_id).first()
    return {"at": asked.at, "reason": asked.reason} if asked else None


def told_others(read: Read, name: str) -> dict[str, Any]:
    """Another reader's answer: what was committed last, never a draft."""
    revisions = list(read.revisions.all())[-1:]
    return {
        "id": read.pk,
        "context": read.context,
        "status": read.status,
        "reader": name,
        "revisions": [told_revision(revision) for revision in revisions],
        "schema": revisions[-1].schema if revisions else "",
    }


def others_reads(study: Study, *, context: Context, item: QueueItem | None, reader: Any) -> Iterator[dict[str, Any]]:
    """What other people committed: by name in the reading room, as Reader 1, 2 … in a queue. Asks nothing until it is
    read."""
    reads = Read.objects.filter(study=study, status=ReadStatus.COMMITTED).exclude(reader=reader)
    reads = reads.select_related("reader").prefetch_related("revisions__agreement").order_by("pk")
    if context == Context.TRIAGE:
        yield from (told_others(read, read.reader.display) for read in reads.filter(context=Context.TRIAGE))
        return
    answers = reads.filter(item=item, context=Context.QUEUE)
    yield from (told_others(read, f"Reader {number}") for number, read in enumerate(answers, 1))


def told_score(study: Study, user: Any) -> StudyScore:
    """What this person, who is not blinded, may know now: attention and history only after their own commit."""
    answered = has_answered(user, study.uid)
    payload = current_scores.score_payload(
        study, with_attention=answered or settings.ATTENTION_BEFORE_COMMIT, with_history=answered
    )
    if not (answered or settings.SHOW_PROBABILITY):
        payload["probability"] = None
    return payload
