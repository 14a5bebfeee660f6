"""Models over REST. No torch."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.models import User
from accounts.permissions import allows, person
from accounts.roles import Role
from common.contract import answers
from common.validation import checked
from inference.models import ModelState, ModelVersion
from inference.payloads import ModelPayload
from inference.registry import NotPromoted, promote


class NotPromotedConflict(APIException):
    """The model cannot become the champion as things stand."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "not_promoted"


class PromotionReason(serializers.Serializer[Any]):
    """Why a model is promoted."""

    reason = serializers.CharField(max_length=1000, help_text="kept in the audit trail")


def model_payload(model: ModelVersion) -> ModelPayload:
    """A model version for an admin."""
    return {
        "id": model.pk,
        "name": model.name,
        "digest": model.digest,
        "state": ModelState(model.state),
        "trained_on_phantoms": model.trained_on_phantoms,
        "manifest": model.manifest,
        "report": {name: value for name, value in model.report.items() if name != "curves"},
        "run": _run_of(model),
        "created_at": model.created_at,
        "created_by": _name(model.created_by),
        "promoted_at": model.promoted_at,
        "promoted_by": _name(model.promoted_by),
        "promotion_reason": model.promotion_reason,
    }


def _name(user: User | None) -> str | None:
    return user.display if user else None


def _run_of(model: ModelVersion) -> int | None:
    """The training run that made it: a relation that the room of training adds to this one's model."""
    run: Any = getattr(model, "run", None)
    return run.pk if run is not None else None


class Models(APIView):
    """The models, the newest first."""

    permission_classes = [allows(Role.ADMIN)]

    @answers(list[ModelPayload])
    def get(self, request: Request) -> Response:
        models = ModelVersion.objects.select_related("promoted_by", "created_by", "run")
        return Response([model_payload(model) for model in models])


class Promote(APIView):
    """Make a model the champion, with a reason."""

    permission_classes = [allows(Role.ADMIN)]

    @answers(ModelPayload, asks=PromotionReason)
    def post(self, request: Request, pk: int) -> Response:
        reason = checked(PromotionReason, request.data)["reason"]
        model = get_object_or_404(ModelVersion, pk=pk)
        try:
            with transaction.atomic():
                promoted = promote(model, user=person(request), reason=reason, request=request._request)
        except NotPromoted as error:
            audit.record(request._request, "model.promoted", user=request.user, outcome="refused", reason=str(error))
            raise NotPromotedConflict(str(error)) from error
        return Response(model_payload(promoted))
