"""What a reading page says of the read that it asks about, and whose that is."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request

from accounts import permissions
from accounts.models import User
from accounts.roles import Role, has_role
from annotations.adjudication import disputes
from annotations.models import Context, QueueItem
from annotations.queues import assignment
from annotations.reads.lifecycle import Place
from studies import access
from studies.models import Study

CONTEXTS = [choice for choice in Context.choices if choice[0] != Context.IMPORT]
LABELLERS = (Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR, Role.ADMIN)


class Conflict(exceptions.APIException):
    """409; ``extra`` travels beside detail and code."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, detail: str, code: str, **extra: Any) -> None:
        super().__init__(detail, code)
        self.extra = extra


class ReadTarget(serializers.Serializer[Any]):
    """Which of one's reads of a study: by its context and, outside the reading room, the item of a queue."""

    context = serializers.ChoiceField(  # type: ignore[assignment]  # DRF's own name
        choices=CONTEXTS, default=Context.TRIAGE
    )
    item = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**63 - 1,
        help_text="The item of a queue; without it the first of this study's that is one's own.",
    )


def place_of(request: Request, uid: str, action: str | None, target: dict[str, Any]) -> Place:
    """Where this request reads or writes; leaves the audit entry. Raises Http404 where that is not this person's.

    Without an action there is no entry: a draft is saved many times a minute and shows nobody anything.
    """
    context, person = Context(target["context"]), permissions.person(request)
    if context == Context.TRIAGE and not has_role(person, *permissions.READERS):
        raise _refusal(request, uid, action)
    study = _study(request, uid) if action is None else access.open_study(request, uid, action, context=context.value)
    item = None if context == Context.TRIAGE else _item(person, uid, context, target["item"])
    if item is None and context != Context.TRIAGE:
        raise _refusal(request, uid, action)
    return Place(study, person, context, item)


def _refusal(request: Request, uid: str, action: str | None) -> Http404:
    """Written down like one of the door itself."""
    access.log_refusal(request, action or "read.opened", uid)
    return Http404()


def _item(user: User, uid: str, context: str, pk: int | None) -> QueueItem | None:
    """The item of this study that is this person's; anybody else's does not exist."""
    own = assignment.openable(user) if context == Context.QUEUE else disputes.may_decide(user)
    return own.filter(study__uid=uid, **({"pk": pk} if pk else {})).order_by("queue_id", "position").first()


def _study(request: Request, uid: str) -> Study:
    study = access.visible_studies(request.user).filter(uid=uid).first()
    if study is None:
        raise _refusal(request, uid, None)
    return study
