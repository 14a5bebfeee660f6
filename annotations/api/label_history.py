"""Where labels of a study come from: every read with its revisions, what its reader knew, and the label they make."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypedDict

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.models import User
from accounts.roles import Role
from annotations.consensus import reference_labels
from annotations.consensus.reference_labels import ReferenceLabelPayload
from annotations.label_schema import versions
from annotations.label_schema.schema import Findings, Schema
from annotations.models import Read, ReadRevision, ReadStatus, SetAside, Where
from annotations.reads import effects, exposures
from annotations.reads.blinding import blinded_uids
from annotations.reads.exposures import AiShown
from common.contract import answers
from live import queries
from studies import access
from studies.models import Study

FieldInWords = tuple[str, str]
"""The title of a field, and the answer to it in the words of its schema."""
HIDDEN = "You have yet to label this study: what others said is shown after your commit."


class RevisionHistory(TypedDict):
    """One commit: the answer, and what its reader knew and looked at."""

    id: int
    number: Annotated[int, "counted from 1"]
    committed_at: datetime
    schema: Annotated[str, "version of the label schema"]
    definition: Annotated[str, "version of what positive means"]
    positive: bool | None
    counts: Annotated[bool, "the reference label is made from it"]
    said: Annotated[list[FieldInWords], "title and answer: the grades, and what differs from an empty form"]
    comment: str
    flag_seen: Annotated[str, "the AI's flag that the reader knew; empty where they knew none"]
    attention_seen: bool
    ai_shown: Annotated[list[AiShown] | None, "what the reader had been shown before; null where that was not kept"]
    agreement: Annotated[bool | None, "whether the reader agreed with the flag"]
    study_revision: Annotated[int | None, "which set of images it was"]
    replaced_since: Annotated[list[str], "SOP Instance UIDs of pictures replaced since it was made"]
    clips_seen: int
    seen_seconds: Annotated[int, "s that clips were on the screen, together"]
    seconds: Annotated[int, "s from opening to commit"]
    device: Annotated[str, "what the reader looked at it with; of an import the line of its file"]


class SetAsideAnswer(TypedDict):
    """A version of an answer that did not go on."""

    at: datetime
    why: str
    schema: Annotated[str, "version of the label schema"]
    said: Annotated[list[FieldInWords], "title and answer of each field"]
    comment: str


class ReadHistory(TypedDict):
    """One reader's read of the study."""

    id: int
    reader: str
    context: Annotated[str, "where, in words"]
    queue: Annotated[str, "empty outside label queues"]
    status: ReadStatus
    opened_at: datetime
    revisions: list[RevisionHistory]
    set_aside: list[SetAsideAnswer]


class LabelHistory(TypedDict):
    """Every read of a study, and the label that they make."""

    study_uid: Annotated[str, "StudyInstanceUID"]
    label: ReferenceLabelPayload | None
    definition: Annotated[str, "version of what positive means that is in force"]
    hidden: Annotated[str, "why the reads are not shown; empty where they are"]
    reads: list[ReadHistory]


class HistoryView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(LabelHistory)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """Every read with its revisions, and the label that they make. It only grows."""
        study = access.open_study(request, uid, "labels.history_viewed")
        return Response(history(study, permissions.person(request)))


@permissions.page(Role.ADMIN)
@transaction.atomic
def page(request: HttpRequest, uid: str) -> HttpResponse:
    study = access.open_study(request, uid, "labels.history_viewed")
    shown = history(study, permissions.person(request))
    page = {"page": "history", "seq": queries.head()}
    return render(request, "history.html", {"page": page, "study": study, "history": shown})


def history(study: Study, user: User) -> LabelHistory:
    """It says which flags readers knew: on record for the one who looks."""
    definition = versions.in_force().definition.name
    if study.uid in blinded_uids(user):
        return {"study_uid": study.uid, "label": None, "definition": definition, "hidden": HIDDEN, "reads": []}
    schemas = versions.all_schemas()
    reads = Read.objects.filter(study=study).select_related("reader", "item__queue").order_by("opened_at", "pk")
    reads = reads.prefetch_related("revisions__agreement", "revisions__study_revision", "set_aside")
    if ReadRevision.objects.filter(read__study=study).not_blind().exists():
        exposures.record_studies(user, [study.pk], Where.HISTORY)
    label = next((each for each in reference_labels.labels() if each.study.pk == study.pk), None)
    return {
        "study_uid": study.uid,
        "label": label.as_json() if label else None,
        "definition": definition,
        "hidden": "",
        "reads": [_read(read, schemas, label.reads if label else ()) for read in reads],
    }


def _read(read: Read, schemas: Mapping[str, Schema], counting: tuple[int, ...]) -> ReadHistory:
    """``counting``: keys of the revisions that make the label."""
    return {
        "id": read.pk,
        "reader": read.reader.display,
        "context": read.get_context_display(),
        "queue": read.item.queue.name if read.item else "",
        "status": ReadStatus(read.status),
        "opened_at": read.opened_at,
        "revisions": [_revision(each, schemas[each.schema], each.pk in counting) for each in read.revisions.all()],
        "set_aside": [_set_aside(each, schemas) for each in read.set_aside.all()],
    }


def _revision(revision: ReadRevision, schema: Schema, counts: bool) -> RevisionHistory:
    viewed = [clip for clip in revision.coverage if clip.get("frames")]
    return {
        "id": revision.pk,
        "number": revision.number,
        "committed_at": revision.committed_at,
        "schema": revision.schema,
        "definition": revision.definition,
        "positive": revision.positive,
        "counts": counts,
        "said": in_words(revision.findings, schema),
        "comment": revision.comment,
        "flag_seen": revision.flag_seen,
        "attention_seen": revision.attention_seen,
        "ai_shown": revision.ai_shown,
        "agreement": _agreement(revision),
        "study_revision": revision.study_revision.number if revision.study_revision else None,
        "replaced_since": effects.replaced_since(revision),
        "clips_seen": len(viewed),
        "seen_seconds": round(sum(clip.get("ms", 0) for clip in viewed) / 1000),
        "seconds": round(revision.duration_ms / 1000),
        "device": device_line(revision.device),
    }


def _agreement(revision: ReadRevision) -> bool | None:
    agreement = getattr(revision, "agreement", None)
    return agreement.agree if agreement else None


def device_line(device: Mapping[str, Any]) -> str:
    """What the reader looked at it with, in a line; of an import the line of its file."""
    if "import" in device:
        return f"line {device['line']} of a file (sha256 {device['import'][:12]}…)"
    parts = [
        f"screen {device['screen']}" if device.get("screen") else "",
        f"window {device['window']}" if device.get("window") else "",
    ]
    return ", ".join(filter(None, [*parts, device.get("browser", "")])) or "not recorded"


def in_words(findings: Findings, schema: Schema) -> list[FieldInWords]:
    """What differs from an empty form, and always the grades, in the words of the schema."""
    empty = schema.empty
    fields = [name for name in schema.properties if name != "schema" and name in findings]
    shown = [name for name in fields if name in ("right", "left") or findings[name] != empty.get(name)]
    return [(schema.label(name), schema.word(name, findings[name])) for name in shown]


def _set_aside(aside: SetAside, schemas: Mapping[str, Schema]) -> SetAsideAnswer:
    findings = aside.answer["findings"]
    name = findings.get("schema", "")
    why = {"schema": "the form changed", "conflict": "another version was chosen"}.get(aside.why, aside.why)
    return {
        "at": aside.at,
        "why": why,
        "schema": name,
        "said": in_words(findings, schemas[name]) if name in schemas else [],
        "comment": aside.answer.get("comment", ""),
    }
