"""REST: one's read of a study from the draft to the commit, and what the AI said of it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.adjudication import discussion
from annotations.adjudication import disputes as adjudication_disputes
from annotations.api import payloads
from annotations.api.requests import JSON, LABELLERS, Conflict, Where, place
from annotations.label_schema import versions
from annotations.label_schema.schema import MAX_COMMENT, BadFindings
from annotations.models import Context, Read, ReadStatus
from annotations.queues import assignment
from annotations.reads import lifecycle
from annotations.reads.blinding import has_answered, is_blinded
from annotations.reads.lifecycle import (
    SCORE_VIEWED,
    Answer,
    Contradiction,
    Evidence,
    Place,
    SchemaChanged,
    StaleDraft,
)
from annotations.reads.trainee_feedback import feedback
from annotations.reads.transitions import NotOpen
from common.validation import checked
from inference.payloads import StudyScore
from studies import access

MAX_SEEN = 5000


class Draft(Where):
    findings = serializers.JSONField()
    comment = serializers.CharField(allow_blank=True, default="", max_length=MAX_COMMENT, trim_whitespace=False)
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 1)


class Seen(serializers.Serializer[Any]):
    sop_uid = serializers.CharField(max_length=64)
    frames = serializers.IntegerField(min_value=0, max_value=10**6)
    ms = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    frame_ms = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=2**31 - 1, allow_null=True),
        required=False,
        max_length=MAX_SEEN,
    )


class Device(serializers.Serializer[Any]):
    """What the reader looked at it with."""

    screen = serializers.CharField(max_length=20, required=False, allow_blank=True)
    window = serializers.CharField(max_length=20, required=False, allow_blank=True)
    pixel_ratio = serializers.FloatField(min_value=0, max_value=100, required=False)
    renderer = serializers.CharField(max_length=20, required=False, allow_blank=True)


class Commit(Draft):
    seen = serializers.ListField(child=Seen(), default=list, max_length=MAX_SEEN)
    duration_ms = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)
    idempotency_key = serializers.CharField(max_length=64)
    device = Device(default=dict)
    confirmed = serializers.BooleanField(default=False)


class Verdict(Where):
    agree = serializers.BooleanField()


def _refusals(error: Exception) -> exceptions.APIException:
    """What a domain error is in HTTP."""
    if isinstance(error, StaleDraft):
        return Conflict(str(error), "stale_draft", server=payloads.told_draft(error.read))
    if isinstance(error, BadFindings):
        return exceptions.ValidationError(error.messages)
    if isinstance(error, SchemaChanged):
        return Conflict(str(error), "schema_changed", schema=payloads.told_schema())
    if isinstance(error, Contradiction):
        return Conflict(str(error), "contradiction", questions=error.questions)
    return Conflict(str(error), "not_open")


DOMAIN_ERRORS = (
    StaleDraft,
    BadFindings,
    NotOpen,
    SchemaChanged,
    Contradiction,
)


class ReadsView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(parameters=[Where], responses=JSON)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """One's own read, and after its commit those of others. Who adjudicates sees the answers to decide on."""
        here = place(request, uid, "reads.viewed", checked(Where, request.query_params))
        # From here on the reader has the study open: what arrives later was not seen, page load or not.
        own = here.open()
        sees = here.context == Context.ADJUDICATION or _sees_others(here, own)
        # What may not be seen is not looked up: the time that an answer takes tells nothing either.
        others = payloads.others_reads(here.study, context=here.context, item=here.item, reader=request.user)
        shown = list(others) if sees else []
        extras = {"feedback": feedback(own), "discussed": _is_discussed(own), "schema": payloads.told_schema()}
        return Response({"mine": payloads.told_own(own), "others": shown, **extras})


def _is_discussed(own: Read) -> bool:
    """Whether there is a discussion of an answered item that its reader takes part in. Not looked up before that."""
    if own.context != Context.QUEUE or own.status != ReadStatus.COMMITTED or own.item_id is None:
        return False
    return discussion.discussed(own.reader, own.item_id) is not None


def _sees_others(here: Place, own: Read) -> bool:
    if own.status != ReadStatus.COMMITTED:
        return False
    return here.item is None or assignment.sees_others(here.reader, here.item)


class DraftView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Draft, responses=JSON)
    @transaction.atomic
    def put(self, request: Request, uid: str) -> Response:
        """Keep a draft; 409 stale_draft with the server's where it moved on meanwhile."""
        asked = checked(Draft, request.data)
        here = place(request, uid, None, asked)
        answer = Answer(asked["findings"], asked["comment"], asked["version"])
        try:
            read = lifecycle.save_draft(here, answer)
        except DOMAIN_ERRORS as error:
            raise _refusals(error) from error
        now = versions.in_force().schema.name
        return Response({"version": read.draft_version, "saved_at": read.draft_saved_at, "schema": now})


class CarryView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Draft, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """An answer to an older schema in the one in force; ``left_out`` has no place there. The old one is kept."""
        asked = checked(Draft, request.data)
        here = place(request, uid, None, asked)
        try:
            findings, left = lifecycle.carry_over(here, Answer(asked["findings"], asked["comment"], asked["version"]))
        except DOMAIN_ERRORS as error:
            raise _refusals(error) from error
        left_out = [{"field": each.field, "title": each.title, "said": each.said} for each in left]
        return Response({"findings": findings, "left_out": left_out, "schema": payloads.told_schema()})


class AsideView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Draft, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Of two versions of a draft, the one that the reader did not choose: kept beside the read."""
        asked = checked(Draft, request.data)
        here = place(request, uid, None, asked)
        answer = Answer(asked["findings"], asked["comment"], asked["version"])
        try:
            findings = versions.of(answer.findings).validate(answer.findings)
        except BadFindings as error:
            raise _refusals(error) from error
        lifecycle.set_aside(here.open(), answer.as_draft(findings), "conflict")
        return Response({"kept": True})


class CommitView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Commit, responses=JSON)
    def post(self, request: Request, uid: str) -> Response:
        """Commit once: 201, and 200 with the same revision for the same key again."""
        asked = checked(Commit, request.data)
        answer = Answer(asked["findings"], asked["comment"], asked["version"])
        evidence = Evidence(
            asked["idempotency_key"],
            [dict(clip) for clip in asked["seen"]],
            asked["duration_ms"],
            {**asked["device"], "browser": request.headers.get("User-Agent", "")[:300]},
            asked["confirmed"],
        )
        try:
            with transaction.atomic():
                here = place(request, uid, "read.commit", asked)
                revision, new = lifecycle.commit(here, answer, evidence)
        except DOMAIN_ERRORS as error:
            raise _refusals(error) from error
        told_commit = {
            **payloads.told_revision(revision),
            "read": revision.read_id,
            "version": revision.read.draft_version,
            **following(here),
            "reveal": _reveal(request, here),
            "feedback": feedback(revision.read),
        }
        return Response(told_commit, status=201 if new else 200)


def _reveal(request: Request, here: Place) -> StudyScore | None:
    """In the reading room the commit shows what the AI said."""
    if here.context != Context.TRIAGE or is_blinded(request.user, here.study.uid):
        return None
    with transaction.atomic():
        access.open_study(request, here.study.uid, SCORE_VIEWED, attention=True)
        return payloads.told_score(here.study, request.user)


def following(here: Place) -> dict[str, Any]:
    """What to open after this one, and in a queue how far it is, so that the page need not ask before it goes on."""
    if here.context == Context.QUEUE:
        item = assignment.next_item(here.reader)
        return {"next": payloads.queue_item(item), "queue": payloads.told_queue(here.reader, item)}
    if here.context == Context.TRIAGE:
        uid = lifecycle.next_study(here.reader, here.study)
        return {"next": {"study_uid": uid, "url": f"/studies/{uid}/"} if uid else None, "queue": None}
    disputes = adjudication_disputes.open_disputes(here.reader)
    dispute = disputes[0].item if disputes else None
    return {
        "next": dispute and {"study_uid": dispute.study.uid, "url": adjudication_disputes.url_of(dispute)},
        "queue": None,
    }


class AgreementView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @extend_schema(request=Verdict, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Agree or disagree with the flag, after the commit."""
        asked = checked(Verdict, request.data)
        here = place(request, uid, "read.agreement_recorded", asked)
        if is_blinded(request.user, uid):
            raise Conflict("You have this study in a label queue: the AI's answer is hidden from you.", "blinded")
        try:
            agreement = lifecycle.agree(here, agrees=asked["agree"])
        except NotOpen as error:
            raise _refusals(error) from error
        return Response({"agree": agreement.agree, "flag": agreement.flag})


class ReopenView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Where, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Make one's committed read a draft again; what was committed stays in the record."""
        here = place(request, uid, "read.reopened", checked(Where, request.data))
        try:
            read = lifecycle.reopen(here)
        except NotOpen as error:
            raise _refusals(error) from error
        return Response(payloads.told_own(read))


class ScoreView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(parameters=[Where], responses=JSON)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """What the AI said, as far as this person may know it now."""
        asked = checked(Where, request.query_params)
        if asked["context"] != Context.TRIAGE or is_blinded(request.user, uid):
            access.open_study(request, uid, "score.blinded")
            return Response(payloads.BLINDED)
        study = access.open_study(request, uid, SCORE_VIEWED, attention=has_answered(request.user, uid))
        return Response(payloads.told_score(study, request.user))
