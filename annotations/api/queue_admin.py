"""REST for admins: make label queues, see how far they are, change and close them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import Role
from annotations.api import queue_serializers
from annotations.api.queue_serializers import QueueFields
from annotations.models import LabelQueue
from annotations.queues import builder, progress, selection
from annotations.queues.assignment import LABEL_ROLES
from annotations.queues.builder import QueuePlan
from annotations.queues.known_answers import known_answers
from annotations.queues.selection import BadSelection
from studies import access
from studies.models import Patient

JSON = OpenApiTypes.OBJECT
SHOWN = 500


class Refusal(exceptions.APIException):
    """400; ``extra`` travels beside detail and code."""

    status_code = 400

    def __init__(self, detail: str, code: str, **extra: Any) -> None:
        super().__init__(detail, code)
        self.extra = extra


def _plan(request: Request) -> tuple[dict[str, Any], QueuePlan]:
    fields = QueueFields(data=request.data)
    fields.is_valid(raise_exception=True)
    wanted: dict[str, Any] = fields.validated_data
    try:
        return wanted, builder.plan(queue_serializers.choose(wanted), queue_serializers.settings_of(wanted))
    except BadSelection as error:
        lines = error.refused[:SHOWN]
        raise Refusal(str(error), "bad_choice", refused=lines, refused_total=len(error.refused)) from error


def told_plan(wanted: dict[str, Any], planned: QueuePlan) -> dict[str, Any]:
    """What the queue would hold and ask of its readers; the first lines that were refused, and how many there are."""
    studies = [pick.study for pick in planned.picks]
    whose = Patient.objects.filter(studies__in=access.every_study().filter(pk__in=studies[:30_000])).distinct()
    readers = wanted["readers"] or User.objects.filter(role__in=LABEL_ROLES, is_active=True)
    each = len(studies) * (len(readers) if wanted["trainee"] else wanted["readers_per_study"])
    again = len(planned.repeats) * wanted["readers_per_study"]
    return {
        "studies": len(studies),
        "patients": whose.count(),
        "gold": len(planned.gold),
        "repeats": len(planned.repeats),
        "readers": len(readers),
        "reads": each + again + len(planned.gold) * len(readers),
        "refused": planned.refused[:SHOWN],
        "refused_total": len(planned.refused),
    }


class QueuesView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(responses=JSON)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """Every queue with its progress, the newest first."""
        audit.record(request._request, "label_queues.listed", user=request.user)
        return Response({"results": progress.all_queues()})

    @extend_schema(request=QueueFields, responses=JSON)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Make a queue. Where lines of a list are refused nothing is made, unless ``leave_out`` says to go on."""
        wanted, planned = _plan(request)
        if planned.refused and not wanted["leave_out"]:
            said = (
                f"{len(planned.refused)} studies cannot be taken. No queue was made: leave them out, or mend the list."
            )
            raise Refusal(said, "refused", **told_plan(wanted, planned))
        queue = builder.make(
            wanted["name"], planned, queue_serializers.settings_of(wanted), source=wanted["source"],
            made_from=queue_serializers.kept(dict(request.data)), by=permissions.person(request),
        )  # fmt: skip
        counts: dict[str, Any] = {
            "studies": len(planned.picks),
            "gold": len(planned.gold),
            "repeats": len(planned.repeats),
        }
        audit.record(request._request, "label_queue.made", user=request.user, queue=queue.pk, **counts)
        return Response({"id": queue.pk, "url": f"/label/queues/{queue.pk}/", **counts}, status=201)


class PreviewView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(request=QueueFields, responses=JSON)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """What that queue would hold. Makes nothing."""
        wanted, planned = _plan(request)
        audit.record(request._request, "label_queue.previewed", user=request.user, studies=len(planned.picks))
        return Response(told_plan(wanted, planned))


class ChoicesView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(responses=JSON)
    def get(self, request: Request) -> Response:
        """Who can be named as a reader, and which strategies there are."""
        people = User.objects.filter(is_active=True).order_by("username")
        told = {
            "readers": [_told_person(each) for each in people],
            "strategies": selection.strategy_list(),
            "known_answers": len(known_answers()),
        }
        return Response(told)


def _told_person(user: User) -> dict[str, Any]:
    labels = user.role in LABEL_ROLES
    return {"username": user.username, "display": user.display, "role": user.role, "default": labels}


class Changes(serializers.Serializer[Any]):
    """What may change while people label: never the studies, their order, nor the rule that their answers go by."""

    name = serializers.CharField(max_length=100, required=False)
    active = serializers.BooleanField(required=False)
    readers = serializers.ListField(child=serializers.CharField(max_length=150), required=False, max_length=500)
    readers_per_study = serializers.IntegerField(required=False, min_value=1, max_value=20)
    deadline = serializers.DateTimeField(required=False, allow_null=True)

    def validate_readers(self, usernames: list[str]) -> list[User]:
        return queue_serializers.people(usernames)


class QueueView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(responses=JSON)
    @transaction.atomic
    def get(self, request: Request, queue: int) -> Response:
        """One queue: what it was made from, and each reader's progress."""
        found = _queue(queue)
        audit.record(request._request, "label_queue.progress_viewed", user=request.user, queue=found.pk)
        return Response(progress.detail(found))

    @extend_schema(request=Changes, responses=JSON)
    @transaction.atomic
    def patch(self, request: Request, queue: int) -> Response:
        """Rename, close or open again, name other readers, ask for more or fewer, move the deadline."""
        found = _queue(queue)
        changes = Changes(data=request.data)
        changes.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(changes.validated_data)
        told = {name: str(value)[:500] for name, value in said.items()}
        audit.record(request._request, "label_queue.changed", user=request.user, queue=found.pk, changed=told)
        if "readers" in said:
            found.readers.set(said.pop("readers"))
        for name, value in said.items():
            setattr(found, name, value)
        found.save()
        return Response(progress.detail(found))


def _queue(pk: int) -> LabelQueue:
    found = LabelQueue.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
