"""REST: one's read of a study from the draft to the commit, and what the AI said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from django.db import transaction
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.adjudication.discussion import discussed_item
from annotations.api import payloads
from annotations.api.next_study import after_commit
from annotations.api.payloads import BlindedScore, ByField, CommittedRevision, OwnRead, SchemaVersion, StudyReads
from annotations.api.requests import LABELLERS, Conflict, ReadTarget, place_of
from annotations.label_schema import versions
from annotations.label_schema.schema import MAX_COMMENT, BadFindings
from annotations.models import Context, Read, ReadRevision, ReadStatus
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
from common.contract import answers
from common.validation import checked
from inference.models import Flag
from inference.payloads import StudyScore
from studies import access

MAX_CLIPS = 5000
"""Clips of a study, and frames of a clip, whose viewing times a commit may bring."""
MAX_BROWSER = 300
"""Characters of the User-Agent that are kept."""
MAX_MS = 2**31 - 1


class DraftRequest(ReadTarget):
    findings = serializers.JSONField(help_text="By field; which fields there are its version of the schema says.")
    comment = serializers.CharField(allow_blank=True, default="", max_length=MAX_COMMENT, trim_whitespace=False)
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="The version of the draft that this one grew from."
    )


class ViewedClipFields(serializers.Serializer[Any]):
    """How much of a clip was on the screen."""

    sop_uid = serializers.CharField(max_length=64, help_text="SOPInstanceUID.")
    frames = serializers.IntegerField(min_value=0, max_value=10**6, help_text="Different frames that were shown.")
    ms = serializers.IntegerField(min_value=0, max_value=MAX_MS, help_text="Milliseconds that the clip was shown.")
    frame_ms = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MAX_MS, allow_null=True),
        required=False,
        max_length=MAX_CLIPS,
        help_text="Milliseconds that each frame was shown, the first frame first.",
    )


class ReadingDevice(serializers.Serializer[Any]):
    """What the reader looked at it with."""

    screen = serializers.CharField(max_length=20, required=False, allow_blank=True, help_text="Pixels, as 1920x1080.")
    window = serializers.CharField(max_length=20, required=False, allow_blank=True, help_text="Pixels, as 1280x720.")
    pixel_ratio = serializers.FloatField(
        min_value=0, max_value=100, required=False, help_text="Device pixels per CSS pixel."
    )
    renderer = serializers.CharField(max_length=20, required=False, allow_blank=True)


class CommitRequest(DraftRequest):
    seen = serializers.ListField(child=ViewedClipFields(), default=list, max_length=MAX_CLIPS)
    duration_ms = serializers.IntegerField(
        min_value=0, max_value=MAX_MS, default=0, help_text="Milliseconds from opening to commit."
    )
    idempotency_key = serializers.CharField(
        max_length=64, help_text="The same key again answers with the revision that it made."
    )
    device = ReadingDevice(default=dict)
    confirmed = serializers.BooleanField(
        default=False, help_text="The reader was asked about what does not go together, and means it."
    )


class AgreementRequest(ReadTarget):
    agree = serializers.BooleanField()


class SavedDraft(TypedDict):
    """A draft that was kept."""

    version: Annotated[int, "which the next save must have grown from"]
    saved_at: datetime | None
    schema: Annotated[str, "name of the version of the label schema in force"]


class LeftOutAnswer(TypedDict):
    """An answer that has no place in the schema in force."""

    field: str
    title: str
    said: Annotated[str, "in the words of the version that it was made with"]


class CarriedAnswer(TypedDict):
    """An answer to an older schema in the fields of the one in force."""

    findings: ByField
    left_out: list[LeftOutAnswer]
    schema: SchemaVersion


class AnswerSetAside(TypedDict):
    """A version of an answer that is kept beside the read."""

    kept: Literal[True]


class FlagAgreement(TypedDict):
    """A reader's verdict on the flag."""

    agree: bool
    flag: Flag


def _refusal(error: Exception) -> exceptions.APIException:
    """What a domain error is in HTTP."""
    if isinstance(error, StaleDraft):
        return Conflict(str(error), "stale_draft", server=payloads.draft_payload(error.read))
    if isinstance(error, BadFindings):
        return exceptions.ValidationError(error.messages)
    if isinstance(error, SchemaChanged):
        return Conflict(str(error), "schema_changed", schema=payloads.schema_in_force())
    if isinstance(error, Contradiction):
        return Conflict(str(error), "contradiction", questions=error.questions)
    return Conflict(str(error), "not_open")


DOMAIN_ERRORS = (StaleDraft, BadFindings, NotOpen, SchemaChanged, Contradiction)


def _answer(draft: dict[str, Any]) -> Answer:
    return Answer(draft["findings"], draft["comment"], draft["version"])


class ReadsView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(StudyReads, query=ReadTarget)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """One's own read, and after its commit those of others. Who adjudicates sees the answers to decide on."""
        place = place_of(request, uid, "reads.viewed", checked(ReadTarget, request.query_params))
        # From now on the reader has the study open: what arrives later was not seen, page load or not.
        own = place.open()
        sees = place.context == Context.ADJUDICATION or _sees_others(place, own)
        # What may not be seen is not looked up: the time that an answer takes tells nothing either.
        others = payloads.other_reads(place.study, context=place.context, item=place.item, reader=place.reader)
        reads: StudyReads = {
            "mine": payloads.own_read_if_begun(own),
            "others": list(others) if sees else [],
            "feedback": feedback(own),
            "discussed": _is_discussed(own),
            "schema": payloads.schema_in_force(),
        }
        return Response(reads)


def _is_discussed(own: Read) -> bool:
    """Whether there is a discussion of an answered item that its reader takes part in. Not looked up before that."""
    if own.context != Context.QUEUE or own.status != ReadStatus.COMMITTED or own.item_id is None:
        return False
    return discussed_item(own.reader, own.item_id) is not None


def _sees_others(place: Place, own: Read) -> bool:
    if own.status != ReadStatus.COMMITTED:
        return False
    return place.item is None or assignment.sees_others(place.reader, place.item)


class DraftView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(SavedDraft, asks=DraftRequest)
    @transaction.atomic
    def put(self, request: Request, uid: str) -> Response:
        """Keep a draft; 409 stale_draft with the server's where it moved on meanwhile."""
        draft = checked(DraftRequest, request.data)
        try:
            read = lifecycle.save_draft(place_of(request, uid, None, draft), _answer(draft))
        except DOMAIN_ERRORS as error:
            raise _refusal(error) from error
        schema = versions.in_force().schema.name
        return Response(SavedDraft(version=read.draft_version, saved_at=read.draft_saved_at, schema=schema))


class CarryView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(CarriedAnswer, asks=DraftRequest)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """An answer to an older schema in the one in force; ``left_out`` has no place there. The old one is kept."""
        draft = checked(DraftRequest, request.data)
        try:
            findings, left_out = lifecycle.carry_over(place_of(request, uid, None, draft), _answer(draft))
        except DOMAIN_ERRORS as error:
            raise _refusal(error) from error
        carried: CarriedAnswer = {
            "findings": findings,
            "left_out": [{"field": each.field, "title": each.title, "said": each.said} for each in left_out],
            "schema": payloads.schema_in_force(),
        }
        return Response(carried)


class AsideView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(AnswerSetAside, asks=DraftRequest)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Of two versions of a draft, the one that the reader did not choose: kept beside the read."""
        draft = checked(DraftRequest, request.data)
        place, answer = place_of(request, uid, None, draft), _answer(draft)
        try:
            findings = versions.of(answer.findings).validate(answer.findings)
        except BadFindings as error:
            raise _refusal(error) from error
        lifecycle.set_aside(place.open(), answer.as_draft(findings), "conflict")
        return Response(AnswerSetAside(kept=True))


class CommitView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(CommittedRevision, asks=CommitRequest, status=201, also={200: CommittedRevision})
    def post(self, request: Request, uid: str) -> Response:
        """Commit once: 201, and 200 with the same revision for the same key again."""
        body = checked(CommitRequest, request.data)
        try:
            with transaction.atomic():
                place = place_of(request, uid, "read.committed", body)
                revision, new = lifecycle.commit(place, _answer(body), _evidence(request, body))
        except DOMAIN_ERRORS as error:
            raise _refusal(error) from error
        return Response(_committed(request, place, revision), status=201 if new else 200)


def _evidence(request: Request, body: dict[str, Any]) -> Evidence:
    return Evidence(
        body["idempotency_key"],
        body["seen"],
        body["duration_ms"],
        {**body["device"], "browser": request.headers.get("User-Agent", "")[:MAX_BROWSER]},
        body["confirmed"],
    )


def _committed(request: Request, place: Place, revision: ReadRevision) -> CommittedRevision:
    return {
        **payloads.revision_payload(revision),
        "read": revision.read_id,
        "version": revision.read.draft_version,
        **after_commit(place),
        "reveal": _reveal(request, place),
        "feedback": feedback(revision.read),
    }


def _reveal(request: Request, place: Place) -> StudyScore | None:
    """In the reading room the commit shows what the AI said."""
    if place.context != Context.TRIAGE or is_blinded(place.reader, place.study.uid):
        return None
    with transaction.atomic():
        access.open_study(request, place.study.uid, SCORE_VIEWED, attention=True)
        return payloads.score_payload(place.study, place.reader)


class AgreementView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @answers(FlagAgreement, asks=AgreementRequest)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Agree or disagree with the flag, after the commit."""
        body = checked(AgreementRequest, request.data)
        place = place_of(request, uid, "read.agreement_recorded", body)
        if is_blinded(place.reader, uid):
            raise Conflict("You have this study in a label queue: the AI's answer is hidden from you.", "blinded")
        try:
            agreement = lifecycle.agree(place, agrees=body["agree"])
        except NotOpen as error:
            raise _refusal(error) from error
        return Response(FlagAgreement(agree=agreement.agree, flag=Flag(agreement.flag)))


class ReopenView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(OwnRead, asks=ReadTarget)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Make one's committed read a draft again; what was committed stays in the record."""
        place = place_of(request, uid, "read.reopened", checked(ReadTarget, request.data))
        try:
            read = lifecycle.reopen(place)
        except NotOpen as error:
            raise _refusal(error) from error
        return Response(payloads.own_read(read))


class ScoreView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(StudyScore | BlindedScore, query=ReadTarget)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """What the AI said, as far as this person may know it now."""
        person, context = permissions.person(request), checked(ReadTarget, request.query_params)["context"]
        if context != Context.TRIAGE or is_blinded(person, uid):
            access.open_study(request, uid, "score.blinded")
            return Response(payloads.BLINDED)
        study = access.open_study(request, uid, SCORE_VIEWED, attention=has_answered(person, uid))
        return Response(payloads.score_payload(study, person))
