"""What a reading page says of the read that it asks about, and whose that is."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request

from accounts import permissions
from accounts.roles import Role, has_role
from annotations.adjudication import disputes
from annotations.models import Context, QueueItem
from annotations.queues import assignment
from annotations.reads.lifecycle import Place
from studies import access
from studies.models import Study

JSON = OpenApiTypes.OBJECT
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
    """Which of one's reads of a study: by its context and, outside the reading room, the item of a queue."""

    context = serializers.ChoiceField(choices=WHERE, default=Context.TRIAGE)  # type: ignore[assignment]  # DRF's own name
    item = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**63 - 1)


def place(request: Request, uid: str, action: str | None, where: dict[str, Any]) -> Place:
    """Where this request reads or writes; leaves the audit entry. Http404 where that is not this person's.

    Without an action there is no entry: a draft is saved many times a minute and shows nobody anything.
    """
    context = Context(where["context"])
    if context == Context.TRIAGE and not has_role(request.user, *permissions.READERS):
        raise Http404
    study = _study(request, uid) if action is None else access.open_study(request, uid, action, context=context.value)
    item = None if context == Context.TRIAGE else _item(request.user, uid, context, where["item"])
    return Place(study, request.user, context, item)


def _item(user: Any, uid: str, context: str, pk: int | None) -> QueueItem:
    """The item of this study that is this person's; anybody else's does not exist."""
    own = assignment.openable(user) if context == Context.QUEUE else disputes.may_decide(user)
    item = own.filter(study__uid=uid, **({"pk": pk} if pk else {})).order_by("queue_id", "position").first()
    if item is None:
        raise Http404
    return item


def _study(request: Request, uid: str) -> Study:
    study = access.visible_studies(request.user).filter(uid=uid).first()
    if study is None:
        raise Http404
    return study
