"""Reads, scores and queue items as the API answers them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from django.conf import settings

from accounts.models import User
from annotations.label_schema import versions
from annotations.label_schema.payloads import ReadFindings
from annotations.label_schema.schema import Findings
from annotations.models import Context, LabelQueue, QueueItem, Read, ReadRevision, ReadStatus, Unblinding, Where
from annotations.queues import assignment
from annotations.reads import effects, exposures
from annotations.reads.blinding import has_answered
from annotations.reads.trainee_feedback import TraineeFeedback
from inference import current_scores
from inference.payloads import StudyScore
from studies import disclosure
from studies.models import Study

ByField = Annotated[Findings, ReadFindings]


class SchemaVersion(TypedDict):
    """A version of the label schema."""

    name: str
    document: Annotated[dict[str, Any], "JSON Schema of the findings, draft 2020-12"]


class DraftPayload(TypedDict):
    """A draft as the server has it."""

    findings: Annotated[ByField | None, "null before the first save"]
    comment: str
    version: Annotated[int, "which the next save must have grown from"]
    saved_at: datetime | None


class RevisionPayload(TypedDict):
    """A committed answer."""

    number: Annotated[int, "counted from 1"]
    findings: ByField
    comment: str
    committed_at: datetime
    schema: Annotated[str, "version of the label schema"]
    positive: Annotated[bool | None, "null where the findings do not say"]
    definition: Annotated[str, "version of what positive means"]
    duration_ms: Annotated[int, "ms from opening to commit"]
    agreement: Annotated[bool | None, "whether the reader agrees with the flag; null until they say"]
    replaced_since: Annotated[list[str], "SOP Instance UIDs of pictures replaced since it was made"]


class UnblindingPayload(TypedDict):
    """An adjudicator saw the AI's answer and the readers' names before deciding."""

    at: datetime
    reason: str


class OwnRead(TypedDict):
    """One's own read: the draft and every revision."""

    id: int
    context: Context
    item: Annotated[int | None, "the item of a queue; null in the reading room"]
    status: ReadStatus
    draft: DraftPayload
    revisions: list[RevisionPayload]
    unblinded: UnblindingPayload | None
    schema: Annotated[str, "version of the label schema that the draft was made with; empty without one"]


class OtherRead(TypedDict):
    """Another reader's answer."""

    id: int
    context: Context
    status: ReadStatus
    reader: Annotated[str, "the name; in a queue and in an adjudication Reader 1, Reader 2 …"]
    revisions: Annotated[list[RevisionPayload], "the last one alone"]
    schema: Annotated[str, "version of the label schema"]


class StudyReads(TypedDict):
    """The reads of a study that this person may see."""

    mine: Annotated[OwnRead | None, "null until something was saved"]
    others: Annotated[list[OtherRead], "none before one's own commit, but for who adjudicates"]
    feedback: Annotated[TraineeFeedback | None, "in a trainee queue, after the commit"]
    discussed: Annotated[bool, "one's answer is committed, and the readers of the item talk about it"]
    schema: Annotated[SchemaVersion, "the version that new reads are made with"]


class StudyLink(TypedDict):
    """A study and the page to read it on."""

    study_uid: Annotated[str, "StudyInstanceUID"]
    url: str


class QueueItemPayload(StudyLink):
    """An item of a label queue."""

    id: int
    why: Annotated[str, "why it is in the queue; tells nothing of AI or readers"]


class LabelQueuePayload(TypedDict):
    """How far one is in a label queue, and what comes next."""

    name: Annotated[str | None, "null where one has no queue"]
    position: Annotated[int, "of the next item, counted from 1"]
    total: Annotated[int, "items that one has"]
    done: Annotated[int, "items that one has answered"]
    item: QueueItemPayload | None
    deadline: Annotated[str | None, "ISO 8601"]
    pace_per_hour: Annotated[float | None, "reads per hour, lately; null after too few"]


class CommittedRevision(RevisionPayload):
    """The new revision, what it reveals and what comes next."""

    read: int
    version: Annotated[int, "of the draft that the commit left"]
    next: StudyLink | None
    queue: Annotated[LabelQueuePayload | None, "in a label queue"]
    reveal: Annotated[StudyScore | None, "in the reading room; null for who is still blinded"]
    feedback: TraineeFeedback | None


class BlindedScore(TypedDict):
    """For this person there is no AI output now."""

    state: Literal["blinded"]


BLINDED: BlindedScore = {"state": "blinded"}


def schema_in_force() -> SchemaVersion:
    """The version that new reads are made with."""
    schema = versions.in_force().schema
    return {"name": schema.name, "document": schema.document}


def revision_payload(revision: ReadRevision) -> RevisionPayload:
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
        "replaced_since": effects.replaced_since(revision),
    }


def draft_payload(read: Read) -> DraftPayload:
    return {
        "findings": read.draft.get("findings"),
        "comment": read.draft.get("comment", ""),
        "version": read.draft_version,
        "saved_at": read.draft_saved_at,
    }


def own_read(read: Read) -> OwnRead:
    revisions = read.revisions.select_related("agreement")
    return {
        "id": read.pk,
        "context": Context(read.context),
        "item": read.item_id,
        "status": ReadStatus(read.status),
        "draft": draft_payload(read),
        "revisions": [revision_payload(revision) for revision in revisions],
        "unblinded": _unblinding(read),
        "schema": (read.draft.get("findings") or {}).get("schema", ""),
    }


def own_read_if_begun(read: Read) -> OwnRead | None:
    """None before anything was saved."""
    is_untouched = read.draft_version == 0 and read.status == ReadStatus.DRAFT
    return None if is_untouched else own_read(read)


def _unblinding(read: Read) -> UnblindingPayload | None:
    if read.context != Context.ADJUDICATION:
        return None
    unblinding = Unblinding.objects.filter(item=read.item_id, user=read.reader_id).first()
    return {"at": unblinding.at, "reason": unblinding.reason} if unblinding else None


def other_read(revision: ReadRevision, name: str) -> OtherRead:
    read = revision.read
    return {
        "id": read.pk,
        "context": Context(read.context),
        "status": ReadStatus(read.status),
        "reader": name,
        "revisions": [revision_payload(revision)],
        "schema": revision.schema,
    }


def other_reads(study: Study, *, context: Context, item: QueueItem | None, reader: User) -> Iterator[OtherRead]:
    """What other people committed last, never a draft: by name in the reading room, as Reader 1, 2 … in a queue.

    Asks the database nothing until it is iterated.
    """
    others = ReadRevision.objects.counting().filter(read__study=study).exclude(read__reader=reader)
    others = others.select_related("read__reader", "agreement").order_by("read_id")
    if context == Context.TRIAGE:
        in_the_room = others.filter(read__context=Context.TRIAGE)
        yield from (other_read(revision, revision.read.reader.display) for revision in in_the_room)
        return
    of_item = others.filter(read__item=item, read__context=Context.QUEUE)
    yield from (other_read(revision, f"Reader {number}") for number, revision in enumerate(of_item, 1))


def score_payload(study: Study, user: User) -> StudyScore:
    """What this person, who is not blinded, may know now: attention and history only after their own commit.

    It is on record that they were shown it.
    """
    answered = has_answered(user, study.uid)
    dated = disclosure.to(user, study).identity
    payload = current_scores.score_payload(
        study, with_attention=answered or settings.ATTENTION_BEFORE_COMMIT, with_history=answered and dated
    )
    if not dated:
        payload["scored_at"] = None
    if not (answered or settings.SHOW_PROBABILITY):
        payload["probability"] = None
    exposures.record_studies(user, [study.pk], Where.SCORE, attention=payload["attention"] is not None)
    return payload


def item_payload(item: QueueItem) -> QueueItemPayload:
    return {"id": item.pk, "study_uid": item.study.uid, "url": assignment.url_of(item), "why": item.why}


def item_link(item: QueueItem) -> StudyLink:
    return {"study_uid": item.study.uid, "url": assignment.url_of(item)}


def queue_payload(user: User, item: QueueItem | None) -> LabelQueuePayload:
    """The queue of the next ``item``; without one, of the newest queue that the person has."""
    queue: LabelQueue | None = item.queue if item else assignment.queues_of(user).order_by("-pk").first()
    progress = assignment.progress(user, queue) if queue else assignment.Progress(0, 0)
    return {
        "name": queue.name if queue else None,
        "position": progress.position,
        "total": progress.total,
        "done": progress.done,
        "item": item_payload(item) if item else None,
        "deadline": queue.deadline.isoformat() if queue and queue.deadline else None,
        "pace_per_hour": assignment.pace_per_hour(user),
    }
