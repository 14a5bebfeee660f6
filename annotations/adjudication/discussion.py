"""What an adjudicator has besides the pictures: the answers compared, a thread, unblinding on record."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.models import User
from accounts.roles import Role
from annotations.adjudication import disputes
from annotations.consensus import rules
from annotations.consensus.differences import compared
from annotations.models import QueueItem, Read, ReadRevision, Remark, Unblinding
from annotations.queues import assignment
from annotations.reads.lifecycle import SCORE_VIEWED
from inference import current_scores
from live.models import Audience
from live.publish import publish
from studies import access

JSON = OpenApiTypes.OBJECT
ANSWERERS = (Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR, Role.ADMIN)
JUDGES = (Role.ADJUDICATOR, Role.ADMIN)


class Said(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000)


class Reason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


def discussed(user: Any, pk: int) -> QueueItem | None:
    """An item, if this person may talk about it: one that they may decide, or one that they answered, once everybody
    has, if they may know what others said. Asks about this item alone: a queue has thousands."""
    item = QueueItem.objects.filter(pk=pk).select_related("study", "queue").first()
    if item is None or disputes.may_decide(user).filter(pk=pk).exists():
        return item
    own = assignment.openable(user).filter(pk=pk, pk__in=assignment.answered(user)).exists()
    open_to_all = own and disputes.answered_enough().filter(pk=pk).exists()
    return item if open_to_all and not assignment.hidden(user).filter(study=item.study_id).exists() else None


def _revisions(item: QueueItem) -> list[ReadRevision]:
    found = disputes.with_answers(QueueItem.objects.filter(pk=item.pk)).get()
    return disputes.dispute_of(found).revisions


def _numbers(item: QueueItem) -> dict[int, str]:
    """Readers as Reader 1, 2 … in the order that every other answer of the API has."""
    return {revision.read.reader_id: f"Reader {at}" for at, revision in enumerate(_revisions(item), 1)}


def told_remarks(item: QueueItem, user: Any) -> list[dict[str, Any]]:
    """Readers stay numbers for one another and for who decides; one's own name is one's own."""
    numbers = _numbers(item)
    remarks = item.remarks.select_related("author")
    return [
        {
            "id": remark.pk,
            "at": remark.at,
            "text": remark.text,
            "mine": remark.author_id == user.pk,
            "author": numbers.get(remark.author_id) or remark.author.display,
        }
        for remark in remarks
    ]


def told_unblinded(item: QueueItem, user: Any) -> dict[str, Any] | None:
    """The readers' names and the AI's answer, for an adjudicator who asked for them on record."""
    asked = Unblinding.objects.filter(item=item, user=user).first()
    if asked is None:
        return None
    people = User.objects.in_bulk(list(_numbers(item)))
    return {
        "at": asked.at,
        "reason": asked.reason,
        "readers": [people[pk].display for pk in _numbers(item)],
        "score": current_scores.score_payload(item.study, with_attention=True, with_history=False),
    }


class DiscussionView(APIView):
    permission_classes = [permissions.allows(*ANSWERERS)]

    @extend_schema(responses=JSON)
    @transaction.atomic
    def get(self, request: Request, item: int) -> Response:
        """The answers side by side, differences first, what was said about them, and what one asked to see."""
        found = _item(request, item, "adjudication.viewed")
        if Unblinding.objects.filter(item=found, user=request.user.pk).exists():
            access.open_study(request, found.study.uid, SCORE_VIEWED, attention=True)
        return Response(told(found, request.user))

    @extend_schema(request=Said, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Say something about the item; everybody who takes part hears that there is something new."""
        said = Said(data=request.data)
        said.is_valid(raise_exception=True)
        found = _item(request, item, "adjudication.remark_added")
        author: Any = request.user
        Remark.objects.create(item=found, author=author, text=said.validated_data["text"])
        for person in _others(found, request.user):
            publish("remark", audience=Audience.PERSON, person_id=person, study_uid=found.study.uid)
        return Response(told(found, request.user), status=201)


class UnblindView(APIView):
    permission_classes = [permissions.allows(*JUDGES)]

    @extend_schema(request=Reason, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Show the AI's answer and who the readers are, before the decision; on record with the reason."""
        asked = Reason(data=request.data)
        asked.is_valid(raise_exception=True)
        found = disputes.may_decide(request.user).filter(pk=item).select_related("study", "queue").first()
        if found is None:
            raise Http404
        reason = asked.validated_data["reason"]
        access.open_study(request, found.study.uid, "adjudication.unblinded", item=item, reason=reason)
        access.open_study(request, found.study.uid, SCORE_VIEWED, attention=True)
        user: Any = request.user
        Unblinding.objects.get_or_create(item=found, user=user, defaults={"reason": reason})
        return Response(told(found, request.user))


def told(item: QueueItem, user: Any) -> dict[str, Any]:
    revisions = _revisions(item)
    return {
        "rows": compared([revision.findings for revision in revisions]),
        "readers": [f"Reader {number}" for number in range(1, len(revisions) + 1)],
        "rule": rules.version_of(item.queue.rule),
        "settled": rules.settled(item.queue.rule, revisions),
        "remarks": told_remarks(item, user),
        "unblinded": told_unblinded(item, user),
    }


def _item(request: Request, pk: int, action: str) -> QueueItem:
    found = discussed(request.user, pk)
    if found is None:
        raise Http404
    access.open_study(request, found.study.uid, action, item=pk)
    return found


def _others(item: QueueItem, user: Any) -> set[int]:
    """Who takes part: the readers, those who said something or decided. Not oneself."""
    readers = Read.objects.filter(item=item, context="queue").values_list("reader_id", flat=True)
    deciders = Read.objects.filter(item=item, context="adjudication").values_list("reader_id", flat=True)
    return {*readers, *deciders, *item.remarks.values_list("author_id", flat=True)} - {user.pk}
