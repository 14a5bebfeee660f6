"""REST: the queue that one labels, item by item, and the reference labels."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.roles import Role
from annotations.api import payloads
from annotations.api.requests import JSON, LABELLERS
from annotations.consensus import reference_labels
from annotations.queues import assignment
from annotations.reads.blinding import blinded_uids
from common.validation import checked
from studies import access


class SkipReason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class LabelQueueView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(responses=JSON)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """The next item to answer, and how far its queue is."""
        item = assignment.next_item(permissions.person(request))
        audit.record(
            request._request, "label_queue.viewed", user=request.user, study_uid=item.study.uid if item else ""
        )
        return Response(payloads.told_queue(request.user, item))


class SkipView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=SkipReason, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Pass an item over; it comes back when the others are done."""
        reason = checked(SkipReason, request.data)["reason"]
        reader = permissions.person(request)
        found = assignment.openable(reader).exclude(pk__in=assignment.answered(reader)).filter(pk=item).first()
        if found is None:
            raise Http404
        access.open_study(request, found.study.uid, "label_queue.item_skipped", item=item, reason=reason)
        assignment.skip(found, reader, reason)
        return Response(payloads.told_queue(reader, assignment.next_item(reader)))


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
