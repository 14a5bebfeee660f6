"""REST: the queue that one labels, item by item, and the reference labels."""

from __future__ import annotations

from typing import Any, TypedDict

from django.db import transaction
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import Role
from annotations.api.payloads import LabelQueuePayload, queue_payload
from annotations.api.requests import LABELLERS
from annotations.consensus import reference_labels
from annotations.consensus.reference_labels import ReferenceLabelPayload
from annotations.models import QueueItem
from annotations.queues import assignment
from annotations.reads.blinding import blinded_uids
from common.contract import answers
from common.validation import checked
from studies import access


class SkipRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class ReferenceLabels(TypedDict):
    """The reference labels of the studies that this person may see."""

    results: list[ReferenceLabelPayload]
    count: int


class LabelQueueView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(LabelQueuePayload)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """The next item to answer, and how far its queue is."""
        person = permissions.person(request)
        item = assignment.next_item(person)
        shown = {"study_uid": item.study.uid, "patient_id": item.study.patient.patient_id} if item else {}
        audit.record(request._request, "label_queue.viewed", user=person, **shown)
        return Response(queue_payload(person, item))


class SkipView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(LabelQueuePayload, asks=SkipRequest)
    @transaction.atomic
    def post(self, request: Request, item: int) -> Response:
        """Pass an item over; it comes back when the others are done."""
        person, reason = permissions.person(request), checked(SkipRequest, request.data)["reason"]
        skipped = _waiting_item(person, item)
        access.open_study(request, skipped.study.uid, "label_queue.item_skipped", item=item, reason=reason)
        assignment.skip(skipped, person, reason)
        return Response(queue_payload(person, assignment.next_item(person)))


def _waiting_item(person: User, pk: int) -> QueueItem:
    """An item that this person has yet to answer. Raises Http404."""
    item = assignment.openable(person).exclude(pk__in=assignment.answered(person)).filter(pk=pk).first()
    if item is None:
        raise Http404
    return item


class LabelsView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN, Role.ADJUDICATOR)]

    @answers(ReferenceLabels)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """The reference labels, each with the rule and the reads that made it."""
        person = permissions.person(request)
        visible = access.visible_studies(person).exclude(uid__in=blinded_uids(person))
        keys = set(visible.values_list("pk", flat=True))
        found = [label for label in reference_labels.labels() if label.study.pk in keys]
        labels = [label.as_json() for label in found]
        if not access.sees_everything(person):
            labels = [{**label, "patient_id": ""} for label in labels]
        subjects = [(label.study.patient.patient_id, label.study.uid) for label in found]
        audit.record_list(request._request, "labels.viewed", user=person, labels=len(labels), subjects=subjects)
        return Response(ReferenceLabels(results=labels, count=len(labels)))
