"""Training and metrics, as pages and over REST. No torch."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import READERS, allows, page, person
from accounts.roles import Role
from inference.models import ModelVersion
from live.queries import head
from training import dashboards, runs
from training.models import Snapshot, TrainingRun
from training.preflight import preflight

LISTED = 50


class Refused(APIException):
    """A run that was not started, or one that cannot be cancelled any more."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, detail: str, *, code: str, **extra: Any) -> None:
        super().__init__(detail, code)
        self.extra = extra


class SnapshotJson(serializers.ModelSerializer[Snapshot]):
    """A snapshot without its rows."""

    class Meta:
        model = Snapshot
        fields = ["digest", "definition", "studies", "patients", "positives", "phantoms_only", "created_at"]


class RunJson(serializers.ModelSerializer[TrainingRun]):
    """A run in a list: its report without the curves."""

    snapshot = SnapshotJson(read_only=True)
    created_by = serializers.CharField(source="created_by.display", default=None, read_only=True)
    cancel_requested = serializers.BooleanField(source="job.cancel_requested", default=False, read_only=True)
    report = serializers.SerializerMethodField()

    class Meta:
        model = TrainingRun
        fields = [
            "id",
            "status",
            "progress",
            "report",
            "error",
            "snapshot",
            "model",
            "seed",
            "cancel_requested",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_report(self, run: TrainingRun) -> dict[str, Any] | None:
        return {name: value for name, value in run.report.items() if name != "curves"} or None


class ChallengerJson(serializers.ModelSerializer[ModelVersion]):
    """The model that a run made; what was measured stands with the run."""

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "name",
            "digest",
            "state",
            "trained_on_phantoms",
            "created_at",
            "promoted_at",
            "promotion_reason",
        ]


class WholeRunJson(RunJson):
    """One run with everything that it measured and the model that it made."""

    model = ChallengerJson(read_only=True)

    def get_report(self, run: TrainingRun) -> dict[str, Any] | None:
        return run.report or None


class RunRequest(serializers.Serializer[Any]):
    """What may be chosen for a run."""

    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)


class Runs(APIView):
    """The runs, the newest first; and starting one."""

    permission_classes = [allows(Role.ADMIN)]

    @extend_schema(responses=RunJson(many=True))
    def get(self, request: Request) -> Response:
        rows = TrainingRun.objects.select_related("snapshot", "job", "created_by").defer("snapshot__rows")
        return Response(RunJson(rows[:LISTED], many=True).data)

    @extend_schema(request=RunRequest, responses={201: WholeRunJson})
    def post(self, request: Request) -> Response:
        asked = RunRequest(data=request.data or {})
        asked.is_valid(raise_exception=True)
        try:
            run = runs.start(user=person(request), request=request._request, seed=asked.validated_data["seed"])
        except runs.NotStarted as error:
            found = error.checked.as_json() if error.checked else None
            raise Refused(str(error), code=error.code, preflight=found) from error
        return Response(WholeRunJson(run).data, status=status.HTTP_201_CREATED)


class PreflightView(APIView):
    """What a run would use, and what is missing."""

    permission_classes = [allows(Role.ADMIN)]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(preflight().as_json())


class Run(APIView):
    """One run."""

    permission_classes = [allows(Role.ADMIN)]

    @extend_schema(responses=WholeRunJson)
    def get(self, request: Request, pk: int) -> Response:
        return Response(WholeRunJson(_run(pk)).data)


class CancelRun(APIView):
    """Stop a run that waits or goes on."""

    permission_classes = [allows(Role.ADMIN)]

    @extend_schema(request=None, responses=WholeRunJson)
    def post(self, request: Request, pk: int) -> Response:
        run = _run(pk)
        if not runs.cancel(run, user=person(request), request=request._request):
            raise Refused(f"Run {pk} has ended already. Nothing was changed.", code="run_ended")
        return Response(WholeRunJson(_run(pk)).data)


class Metrics(APIView):
    """The champion's figures and the list's."""

    permission_classes = [allows(*READERS)]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(dashboards.metrics())


def _run(pk: int) -> TrainingRun:
    return get_object_or_404(TrainingRun.objects.select_related("snapshot", "job", "model", "created_by"), pk=pk)


@page(Role.ADMIN)
@transaction.atomic
def training_page(request: HttpRequest) -> HttpResponse:
    audit.record(request, "training.viewed")
    return render(request, "training.html", {"page": {"page": "training", "seq": head()}})


@page(Role.ADMIN)
@transaction.atomic
def run_page(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    audit.record(request, "training.viewed", run=run.pk)
    found = {"page": "training_run", "run_id": run.pk, "seq": head()}
    return render(request, "training_run.html", {"page": found, "run_id": run.pk})


@page(*READERS)
@transaction.atomic
def metrics_page(request: HttpRequest) -> HttpResponse:
    audit.record(request, "metrics.viewed")
    return render(request, "metrics.html", {"page": {"page": "metrics", "seq": head()}})
