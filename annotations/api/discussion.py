"""REST: the discussion of an item of a queue, and unblinding before a decision."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.roles import Role
from annotations.adjudication import disputes
from annotations.adjudication.discussion import DiscussionPayload, discussed_item, discussion, other_participants
from annotations.api.requests import LABELLERS
from annotations.models import QueueItem, Remark, Unblinding, Where
from annotations.reads import exposures
from annotations.reads.lifecycle import SCORE_VIEWED
from common.contract import answers
from common.validation import checked
from live.models import Audience
from live.publish import publish
from studies import access


class RemarkRequest(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000)


class UnblindingRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class DiscussionView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(DiscussionPayload)
    @transaction.atomic
    def get(self, request: Request, item: int) -> Response:
        """The answers side by side, differences first, what was said about them, and what one asked to see."""
        person = permissions.person(request)
        discussed = _discussed(request, item, "adjudication.viewed")
        if Unblinding.objects.filter(item=discussed, user=person).exists():
            _show_score(request, discussed)
        return Response(discussion(discussed, person))

    @answers(DiscussionPayload, asks=RemarkRequest, status=201)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Say something about the item; everybody who takes part hears that there is something new."""
        person, text = permissions.person(request), checked(RemarkRequest, request.data)["text"]
        discussed = _discussed(request, item, "adjudication.remark_added")
        Remark.objects.create(item=discussed, author=person, text=text)
        for participant in other_participants(discussed, person):
            publish("remark", audience=Audience.PERSON, person_id=participant, study_uid=discussed.study.uid)
        return Response(discussion(discussed, person), status=201)


class UnblindView(APIView):
    permission_classes = [permissions.allows(Role.ADJUDICATOR, Role.ADMIN)]

    @answers(DiscussionPayload, asks=UnblindingRequest)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Show the AI's answer and who the readers are, before the decision; on record with the reason."""
        person, reason = permissions.person(request), checked(UnblindingRequest, request.data)["reason"]
        disputed = disputes.may_decide(person).filter(pk=item).select_related("study", "queue").first()
        if disputed is None:
            raise Http404
        access.open_study(request, disputed.study.uid, "adjudication.unblinded", item=item, reason=reason)
        _show_score(request, disputed)
        Unblinding.objects.get_or_create(item=disputed, user=person, defaults={"reason": reason})
        return Response(discussion(disputed, person))


def _show_score(request: Request, item: QueueItem) -> None:
    """Leaves on record that this person is shown what the AI said of the item."""
    access.open_study(request, item.study.uid, SCORE_VIEWED, attention=True)
    exposures.record_studies(permissions.person(request), [item.study_id], Where.DISCUSSION, attention=True)


def _discussed(request: Request, pk: int, action: str) -> QueueItem:
    """The item, with an audit entry. Raises Http404 where this person may not talk about it."""
    item = discussed_item(permissions.person(request), pk)
    if item is None:
        raise Http404
    access.open_study(request, item.study.uid, action, item=pk)
    return item
