"""REST: reads and scores of a study, label queues, reference labels."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.roles import Role, has_role
from annotations.adjudication import discussion
from annotations.adjudication import disputes as adjudication_disputes
from annotations.api import payloads
from annotations.consensus import reference_labels
from annotations.label_schema import versions
from annotations.label_schema.schema import MAX_COMMENT, BadFindings
from annotations.models import Context, QueueItem, Read, ReadStatus
from annotations.queues import assignment
from annotations.reads import lifecycle
from annotations.reads.blinding import blinded_uids, has_answered, is_blinded
from annotations.reads.lifecycle import SCORE_VIEWED, Answer, Evidence, Place
from annotations.reads.trainee_feedback import feedback
from inference.payloads import StudyScore
from studies import access
from studies.models import Study

JSON = OpenApiTypes.OBJECT
MAX_SEEN = 5000
WHERE = [choice for choice in Context.choices if choice[0] != Context.IMPORT]
LABELLERS = (Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR, Role.ADMIN)


class Conflict(exceptions.APIException):
    """409; ``extra`` travels beside detail and code."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, detail: str, code: str, **extra: Any) -> None:
        super().__init__(detail, code)
        self.extra = extra


class Where(serializers.Serializer[Any]):
    context = serializers.ChoiceField(choices=WHERE, default=Context.TRIAGE)  # type: ignore[assignment]  # DRF's own name
    item = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**63 - 1)


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


class SkipReason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


def _checked(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    asked = serializer(data=data)
    asked.is_valid(raise_exception=True)
    checked: dict[str, Any] = asked.validated_data
    return checked


def _item(user: Any, uid: str, context: str, pk: int | None) -> QueueItem:
    """The item of this study that is this person's; anybody else's does not exist."""
    theirs = assignment.openable(user) if context == Context.QUEUE else adjudication_disputes.may_decide(user)
    found = theirs.filter(study__uid=uid, **({"pk": pk} if pk else {})).order_by("queue_id", "position").first()
    if found is None:
        raise Http404
    return found


def _study(request: Request, uid: str) -> Study:
    study = access.visible_studies(request.user).filter(uid=uid).first()
    if study is None:
        raise Http404
    return study


def place(request: Request, uid: str, action: str | None, asked: dict[str, Any]) -> Place:
    """Where this request reads or writes; leaves the audit entry. Http404 where that is not this person's.

    Without an action there is no entry: a draft is saved many times a minute and shows nobody anything.
    """
    context = Context(asked["context"])
    if context == Context.TRIAGE and not has_role(request.user, *permissions.READERS):
        raise Http404
    study = _study(request, uid) if action is None else access.open_study(request, uid, action, context=context.value)
    item = None if context == Context.TRIAGE else _item(request.user, uid, context, asked["item"])
    return Place(study, request.user, context, item)


def _refusals(error: Exception) -> exceptions.APIException:
    """What a domain error is in HTTP."""
    if isinstance(error, lifecycle.StaleDraft):
        return Conflict(str(error), "stale_draft", server=payloads.told_draft(error.read))
    if isinstance(error, BadFindings):
        return exceptions.ValidationError(error.messages)
    if isinstance(error, lifecycle.SchemaChanged):
        return Conflict(str(error), "schema_changed", schema=payloads.told_schema())
    if isinstance(error, lifecycle.Contradiction):
        return Conflict(str(error), "contradiction", questions=error.questions)
    return Conflict(str(error), "not_open")


DOMAIN_ERRORS = (lifecycle.StaleDraft, BadFindings, lifecycle.NotOpen, lifecycle.SchemaChanged, lifecycle.Contradiction)


class ReadsView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(parameters=[Where], responses=JSON)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """One's own read, and after its commit those of others. Who adjudicates sees the answers to decide on."""
        here = place(request, uid, "reads.viewed", _checked(Where, request.query_params))
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
        asked = _checked(Draft, request.data)
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
        asked = _checked(Draft, request.data)
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
        asked = _checked(Draft, request.data)
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
        asked = _checked(Commit, request.data)
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
                here = place(request, uid, "read.committed", asked)
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
        return {"next": _queue_item(item), "queue": told_queue(here.reader, item)}
    if here.context == Context.TRIAGE:
        uid = lifecycle.next_study(here.reader, here.study)
        return {"next": {"study_uid": uid, "url": f"/studies/{uid}/"} if uid else None, "queue": None}
    disputes = adjudication_disputes.open_disputes(here.reader)
    dispute = disputes[0].item if disputes else None
    return {
        "next": dispute and {"study_uid": dispute.study.uid, "url": adjudication_disputes.url_of(dispute)},
        "queue": None,
    }


def _queue_item(item: QueueItem | None) -> dict[str, Any] | None:
    return {"study_uid": item.study.uid, "url": assignment.url_of(item)} if item else None


class AgreementView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @extend_schema(request=Verdict, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Agree or disagree with the flag, after the commit."""
        asked = _checked(Verdict, request.data)
        here = place(request, uid, "read.agreement_recorded", asked)
        if is_blinded(request.user, uid):
            raise Conflict("You have this study in a label queue: the AI's answer is hidden from you.", "blinded")
        try:
            agreement = lifecycle.agree(here, agrees=asked["agree"])
        except lifecycle.NotOpen as error:
            raise _refusals(error) from error
        return Response({"agree": agreement.agree, "flag": agreement.flag})


class ReopenView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Where, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Make one's committed read a draft again; what was committed stays in the record."""
        here = place(request, uid, "read.reopened", _checked(Where, request.data))
        try:
            read = lifecycle.reopen(here)
        except lifecycle.NotOpen as error:
            raise _refusals(error) from error
        return Response(payloads.told_own(read))


class ScoreView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(parameters=[Where], responses=JSON)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """What the AI said, as far as this person may know it now."""
        asked = _checked(Where, request.query_params)
        if asked["context"] != Context.TRIAGE or is_blinded(request.user, uid):
            access.open_study(request, uid, "score.blinded")
            return Response(payloads.BLINDED)
        study = access.open_study(request, uid, SCORE_VIEWED, attention=has_answered(request.user, uid))
        return Response(payloads.told_score(study, request.user))


class LabelQueueView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(responses=JSON)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """The next item to answer, and how far its queue is."""
        item = assignment.next_item(request.user)
        audit.record(
            request._request, "label_queue.viewed", user=request.user, study_uid=item.study.uid if item else ""
        )
        return Response(told_queue(request.user, item))


def told_queue(user: Any, item: QueueItem | None) -> dict[str, Any]:
    queue = item.queue if item else assignment.queues_of(user).order_by("-pk").first()
    progress = assignment.progress(user, queue) if queue else assignment.Progress(0, 0)
    told_item = item and {"id": item.pk, "study_uid": item.study.uid, "url": assignment.url_of(item), "why": item.why}
    return {
        "name": queue.name if queue else None,
        "position": progress.position,
        "total": progress.total,
        "done": progress.done,
        "item": told_item,
        "deadline": queue.deadline.isoformat() if queue and queue.deadline else None,
        "pace_per_hour": assignment.pace_per_hour(user),
    }


class SkipView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=SkipReason, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Pass an item over; it comes back when the others are done."""
        reason = _checked(SkipReason, request.data)["reason"]
        found = (
            assignment.openable(request.user).exclude(pk__in=assignment.answered(request.user)).filter(pk=item).first()
        )
        if found is None:
            raise Http404
        access.open_study(request, found.study.uid, "label_queue.item_skipped", item=item, reason=reason)
        assignment.skip(found, request.user, reason)
        return Response(told_queue(request.user, assignment.next_item(request.user)))


class LabelsView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN, Role.ADJUDICATOR)]

    @extend_schema(responses=JSON)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """The reference labels, each with the rule and the reads that made it."""
        visible = access.visible_studies(request.user).exclude(uid__in=blinded_uids(request.user))
        shown = set(visible.values_list("pk", flat=True))
        labels = [label for label in reference_labels.labels() if label.study.pk in shown]
        audit.record(request._request, "labels.viewed", user=request.user, labels=len(labels))
        return Response({"results": [label.as_json() for label in labels], "count": len(labels)})
