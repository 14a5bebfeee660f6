"""REST for admins: make label queues, see how far they are, change and close them."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from django.db import transaction
from django.http import Http404
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
from annotations.queues.progress import QueueDetail, QueueProgress
from annotations.queues.selection import BadSelection, RefusedLine, StrategyChoice
from common.contract import answers
from common.validation import checked
from studies import access
from studies.models import Patient

MOST_REFUSED = 500
"""Refused lines that are answered, the first ones."""
MOST_AT_ONCE = 30_000
"""Keys in one query."""
MOST_AUDITED = 500
"""Characters of each changed value that the audit entry keeps."""


class Refusal(exceptions.APIException):
    """400; ``extra`` travels beside detail and code."""

    status_code = 400

    def __init__(self, detail: str, code: str, **extra: Any) -> None:
        super().__init__(detail, code)
        self.extra = extra


class QueuePreview(TypedDict):
    """What a queue would hold and ask of its readers."""

    studies: int
    patients: int
    gold: Annotated[int, "studies with a known answer that are mixed in"]
    repeats: Annotated[int, "studies that come a second time"]
    readers: Annotated[int, "people who would label it"]
    reads: Annotated[int, "answers that it takes, all readers together"]
    refused: Annotated[list[RefusedLine], "the first lines that name no study that can be taken"]
    refused_total: int


class QueueCounts(TypedDict):
    """What a queue holds."""

    studies: int
    gold: Annotated[int, "studies with a known answer that were mixed in"]
    repeats: Annotated[int, "studies that come a second time"]


class MadeQueue(QueueCounts):
    """A queue that was made."""

    id: int
    url: str


class QueueList(TypedDict):
    """Every queue with its progress."""

    results: list[QueueProgress]


class ReaderChoice(TypedDict):
    """Somebody who can be named as a reader."""

    username: str
    display: str
    role: Role
    default: Annotated[bool, "labels queues that name nobody"]


class QueueChoices(TypedDict):
    """What can be chosen when a queue is made."""

    readers: list[ReaderChoice]
    strategies: list[StrategyChoice]
    known_answers: Annotated[int, "studies with a known answer"]


class QueueChanges(serializers.Serializer[Any]):
    """What may change while people label: never the studies, their order, nor the rule that their answers go by."""

    name = serializers.CharField(max_length=100, required=False)
    active = serializers.BooleanField(required=False)
    readers = serializers.ListField(child=serializers.CharField(max_length=150), required=False, max_length=500)
    readers_per_study = serializers.IntegerField(required=False, min_value=1, max_value=20)
    deadline = serializers.DateTimeField(required=False, allow_null=True)
    identified = serializers.BooleanField(
        required=False, help_text="Readers see the infant's number, name, dates and whole pictures."
    )
    whole_pictures = serializers.BooleanField(
        required=False, help_text="Pictures that name no ultrasound region are shown to them too."
    )

    def validate_readers(self, usernames: list[str]) -> list[User]:
        return queue_serializers.people(usernames)


def _plan(fields: dict[str, Any]) -> QueuePlan:
    """Raises Refusal where no queue can be made of these fields."""
    try:
        return builder.plan(queue_serializers.choose(fields), queue_serializers.settings_of(fields))
    except BadSelection as error:
        raise Refusal(
            str(error), "bad_choice", refused=error.refused[:MOST_REFUSED], refused_total=len(error.refused)
        ) from error


def preview(fields: dict[str, Any], plan: QueuePlan) -> QueuePreview:
    keys = [pick.study for pick in plan.picks]
    patients = Patient.objects.filter(studies__in=access.every_study().filter(pk__in=keys[:MOST_AT_ONCE])).distinct()
    readers = len(fields["readers"] or User.objects.filter(role__in=LABEL_ROLES, is_active=True))
    first = len(keys) * (readers if fields["trainee"] else fields["readers_per_study"])
    again = len(plan.repeats) * fields["readers_per_study"]
    return {
        "studies": len(keys),
        "patients": patients.count(),
        "gold": len(plan.gold),
        "repeats": len(plan.repeats),
        "readers": readers,
        "reads": first + again + len(plan.gold) * readers,
        "refused": plan.refused[:MOST_REFUSED],
        "refused_total": len(plan.refused),
    }


class QueuesView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(QueueList)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """Every queue with its progress, the newest first."""
        audit.record(request._request, "label_queues.listed", user=request.user)
        return Response(QueueList(results=progress.all_queues()))

    @answers(MadeQueue, asks=QueueFields, status=201)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Make a queue. Where lines of a list are refused nothing is made, unless ``leave_out`` says to go on."""
        fields = checked(QueueFields, request.data)
        plan = _plan(fields)
        if plan.refused and not fields["leave_out"]:
            detail = (
                f"{len(plan.refused)} studies cannot be taken. No queue was made: leave them out, or mend the list."
            )
            raise Refusal(detail, "refused", **preview(fields, plan))
        queue = builder.make(
            fields["name"], plan, queue_serializers.settings_of(fields), source=fields["source"],
            made_from=queue_serializers.request_of(dict(request.data)), by=permissions.person(request),
        )  # fmt: skip
        counts: QueueCounts = {"studies": len(plan.picks), "gold": len(plan.gold), "repeats": len(plan.repeats)}
        audit.record(request._request, "label_queue.made", user=request.user, queue=queue.pk, **counts)
        return Response(MadeQueue(id=queue.pk, url=f"/label/queues/{queue.pk}/", **counts), status=201)


class PreviewView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(QueuePreview, asks=QueueFields)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """What that queue would hold. Makes nothing."""
        fields = checked(QueueFields, request.data)
        plan = _plan(fields)
        audit.record(request._request, "label_queue.previewed", user=request.user, studies=len(plan.picks))
        return Response(preview(fields, plan))


class ChoicesView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(QueueChoices)
    def get(self, request: Request) -> Response:
        """Who can be named as a reader, and which strategies there are."""
        people = User.objects.filter(is_active=True).order_by("username")
        choices: QueueChoices = {
            "readers": [_reader_choice(person) for person in people],
            "strategies": selection.strategy_list(),
            "known_answers": len(known_answers()),
        }
        return Response(choices)


def _reader_choice(user: User) -> ReaderChoice:
    role = Role(user.role)
    return {"username": user.username, "display": user.display, "role": role, "default": role in LABEL_ROLES}


class QueueView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(QueueDetail)
    @transaction.atomic
    def get(self, request: Request, queue: int) -> Response:
        """One queue: what it was made from, and each reader's progress."""
        shown = _queue(queue)
        audit.record(request._request, "label_queue.progress_viewed", user=request.user, queue=shown.pk)
        return Response(progress.detail(shown))

    @answers(QueueDetail, asks=QueueChanges)
    @transaction.atomic
    def patch(self, request: Request, queue: int) -> Response:
        """Rename, close or open again, name other readers, ask for more or fewer, move the deadline."""
        changed = _queue(queue)
        changes = dict(checked(QueueChanges, request.data))
        audited = {name: str(value)[:MOST_AUDITED] for name, value in changes.items()}
        audit.record(request._request, "label_queue.changed", user=request.user, queue=changed.pk, changed=audited)
        _change(changed, changes)
        return Response(progress.detail(changed))


def _change(queue: LabelQueue, changes: dict[str, Any]) -> None:
    if "readers" in changes:
        queue.readers.set(changes.pop("readers"))
    for name, value in changes.items():
        setattr(queue, name, value)
    queue.save()


def _queue(pk: int) -> LabelQueue:
    queue = LabelQueue.objects.filter(pk=pk).first()
    if queue is None:
        raise Http404
    return queue
