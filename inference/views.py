"""Models over REST. No torch."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import allows
from accounts.roles import Role
from inference.models import ModelVersion
from inference.registry import NotPromoted, promote


class Conflict(APIException):
    """What was asked for cannot be done as things stand."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "not_promoted"


class ModelJson(serializers.ModelSerializer[ModelVersion]):
    """A model version with what its manifest says and what was measured; curves are with the run and the metrics."""

    promoted_by = serializers.CharField(source="promoted_by.display", default=None, read_only=True)
    created_by = serializers.CharField(source="created_by.display", default=None, read_only=True)
    run = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "name",
            "digest",
            "state",
            "trained_on_phantoms",
            "manifest",
            "report",
            "run",
            "created_at",
            "created_by",
            "promoted_at",
            "promoted_by",
            "promotion_reason",
        ]

    def get_report(self, model: ModelVersion) -> dict[str, Any]:
        return {name: value for name, value in model.report.items() if name != "curves"}

    def get_run(self, model: ModelVersion) -> int | None:
        run: Any = getattr(model, "run", None)
        return run.pk if run is not None else None


class Reason(serializers.Serializer[Any]):
    """Why a model is promoted."""

    reason = serializers.CharField(max_length=1000)


class Models(APIView):
    """The models, the newest first."""

    permission_classes = [allows(Role.ADMIN)]

    @extend_schema(responses=ModelJson(many=True))
    def get(self, request: Request) -> Response:
        models = ModelVersion.objects.select_related("promoted_by", "created_by", "run")
        return Response(ModelJson(models, many=True).data)


class Promote(APIView):
    """Make a model the champion, with a reason."""

    permission_classes = [allows(Role.ADMIN)]

    @extend_schema(request=Reason, responses=ModelJson)
    def post(self, request: Request, pk: int) -> Response:
        asked = Reason(data=request.data)
        asked.is_valid(raise_exception=True)
        model = get_object_or_404(ModelVersion, pk=pk)
        try:
            with transaction.atomic():
                promoted = promote(
                    model, user=request.user, reason=asked.validated_data["reason"], request=request._request
                )
        except NotPromoted as error:
            audit.record(request._request, "model.promoted", user=request.user, outcome="refused", reason=str(error))
            raise Conflict(str(error)) from error
        return Response(ModelJson(promoted).data)
