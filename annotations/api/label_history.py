"""Where labels of a study come from: every read with its revisions, what its reader knew, and the label they make."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.roles import Role
from annotations.consensus import reference_labels
from annotations.label_schema import versions
from annotations.label_schema.schema import Schema
from annotations.models import Read, ReadRevision, SetAside
from annotations.reads.blinding import blinded_uids
from live import queries
from studies import access
from studies.models import Study

Words = list[tuple[str, str]]
HIDDEN = "You have yet to label this study: what others said is shown after your commit."


class HistoryView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """Nothing here is ever changed; it only grows."""
        study = access.open_study(request, uid, "labels.history_viewed")
        return Response(history(study, request.user))


@permissions.page(Role.ADMIN)
@transaction.atomic
def page(request: HttpRequest, uid: str) -> HttpResponse:
    study = access.open_study(request, uid, "labels.history_viewed")
    told = {"page": "history", "seq": queries.head()}
    return render(request, "history.html", {"page": told, "study": study, "history": history(study, request.user)})


def history(study: Study, user: Any) -> dict[str, Any]:
    definition = versions.in_force().definition.name
    if study.uid in blinded_uids(user):
        return {"study_uid": study.uid, "label": None, "definition": definition, "reads": [], "hidden": HIDDEN}
    schemas = versions.all_schemas()
    reads = Read.objects.filter(study=study).select_related("reader", "item__queue").order_by("opened_at", "pk")
    reads = reads.prefetch_related("revisions__agreement", "revisions__study_revision", "set_aside")
    label = next((each for each in reference_labels.labels() if each.study.pk == study.pk), None)
    return {
        "study_uid": study.uid,
        "label": label.as_json() if label else None,
        "definition": definition,
        "hidden": "",
        "reads": [_told(read, schemas, label.reads if label else ()) for read in reads],
    }


def _told(read: Read, schemas: dict[str, Schema], counted: tuple[int, ...]) -> dict[str, Any]:
    revisions = list(read.revisions.all())
    return {
        "id": read.pk,
        "reader": read.reader.display,
        "context": read.get_context_display(),
        "queue": read.item.queue.name if read.item else "",
        "status": read.status,
        "opened_at": read.opened_at,
        "revisions": [_revision(each, schemas[each.schema], each.pk in counted) for each in revisions],
        "set_aside": [_aside(each, schemas) for each in read.set_aside.all()],
    }


def _revision(revision: ReadRevision, schema: Schema, counts: bool) -> dict[str, Any]:
    seen = [clip for clip in revision.coverage if clip.get("frames")]
    return {
        "id": revision.pk,
        "number": revision.number,
        "committed_at": revision.committed_at,
        "schema": revision.schema,
        "definition": revision.definition,
        "positive": revision.positive,
        "counts": counts,
        "said": said(revision.findings, schema),
        "comment": revision.comment,
        "flag_seen": revision.flag_seen,
        "attention_seen": revision.attention_seen,
        "agreement": _agreement(revision),
        "study_revision": revision.study_revision.number if revision.study_revision else None,
        "clips_seen": len(seen),
        "seen_seconds": round(sum(clip.get("ms", 0) for clip in seen) / 1000),
        "seconds": round(revision.duration_ms / 1000),
        "device": device(revision.device),
    }


def _agreement(revision: ReadRevision) -> bool | None:
    agreement = getattr(revision, "agreement", None)
    return agreement.agree if agreement else None


def device(told: dict[str, Any]) -> str:
    """What the reader looked at it with, in a line; of an import the line of its file."""
    if "import" in told:
        return f"line {told['line']} of a file (sha256 {told['import'][:12]}…)"
    parts = [
        f"screen {told['screen']}" if told.get("screen") else "",
        f"window {told['window']}" if told.get("window") else "",
    ]
    return ", ".join(filter(None, [*parts, told.get("browser", "")])) or "not recorded"


def said(findings: dict[str, Any], schema: Schema) -> Words:
    """What differs from an empty form, and always the grades, in the words of the schema."""
    empty = schema.empty
    names = [name for name in schema.properties if name != "schema"]
    told = [name for name in names if name in ("right", "left") or findings.get(name) != empty.get(name)]
    return [(schema.label(name), schema.word(name, findings.get(name))) for name in told if name in findings]


def _aside(aside: SetAside, schemas: dict[str, Schema]) -> dict[str, Any]:
    findings = aside.answer["findings"]
    name = findings.get("schema", "")
    why = {"schema": "the form changed", "conflict": "another version was chosen"}.get(aside.why, aside.why)
    words = said(findings, schemas[name]) if name in schemas else []
    return {"at": aside.at, "why": why, "schema": name, "said": words, "comment": aside.answer.get("comment", "")}
