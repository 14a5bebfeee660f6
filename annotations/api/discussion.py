"""REST: the discussion of an item of a queue, and unblinding before a decision."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.roles import Role
from annotations.adjudication import discussion, disputes
from annotations.api.requests import JSON, LABELLERS
from annotations.models import QueueItem, Remark, Unblinding
from annotations.reads.lifecycle import SCORE_VIEWED
from common.validation import checked
from live.models import Audience
from live.publish import publish
from studies import access


class RemarkFields(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000)


class UnblindingFields(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class DiscussionView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(responses=JSON)
    @transaction.atomic
    def get(self, request: Request, item: int) -> Response:
        """The answers side by side, differences first, what was said about them, and what one asked to see."""
        discussed = _discussed(request, item, "adjudication.viewed")
        if Unblinding.objects.filter(item=discussed, user=request.user.pk).exists():
            access.open_study(request, discussed.study.uid, SCORE_VIEWED, attention=True)
        return Response(discussion.told(discussed, request.user))

    @extend_schema(request=RemarkFields, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Say something about the item; everybody who takes part hears that there is something new."""
        remark = checked(RemarkFields, request.data)
        discussed = _discussed(request, item, "adjudication.remark_added")
        author: Any = request.user
        Remark.objects.create(item=discussed, author=author, text=remark["text"])
        for person in discussion.others_taking_part(discussed, request.user):
            publish("remark", audience=Audience.PERSON, person_id=person, study_uid=discussed.study.uid)
        return Response(discussion.told(discussed, request.user), status=201)


class UnblindView(APIView):
    permission_classes = [permissions.allows(Role.ADJUDICATOR, Role.ADMIN)]

    @extend_schema(request=UnblindingFields, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Show the AI's answer and who the readers are, before the decision; on record with the reason."""
        reason = checked(UnblindingFields, request.data)["reason"]
        disputed = (
            disputes.may_decide(permissions.person(request)).filter(pk=item).select_related("study", "queue").first()
        )
        if disputed is None:
            raise Http404
        access.open_study(request, disputed.study.uid, "adjudication.unblinded", item=item, reason=reason)
        access.open_study(request, disputed.study.uid, SCORE_VIEWED, attention=True)
        user: Any = request.user
        Unblinding.objects.get_or_create(item=disputed, user=user, defaults={"reason": reason})
        return Response(discussion.told(disputed, request.user))


def _discussed(request: Request, pk: int, action: str) -> QueueItem:
    """The item, with an audit entry. Http404 where this person may not talk about it."""
    item = discussion.discussed(request.user, pk)
    if item is None:
        raise Http404
    access.open_study(request, item.study.uid, action, item=pk)
    return item
