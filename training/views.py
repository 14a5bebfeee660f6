"""Training and metrics, as pages and over REST. No torch."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import READERS, allows, page, person
from accounts.roles import Role
from common.contract import answers
from common.validation import checked
from live.queries import head
from training import dashboards, runs
from training.models import TrainingRun
from training.payloads import RunDetail, RunRefusal, RunSummary, SiteMetrics, TrainingPreflight, run_detail, run_summary
from training.preflight import preflight

LISTED = 50
"""Runs in a list."""


class Refused(APIException):
    """A run that was not started, or one that cannot be cancelled any more."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, detail: str, *, code: str, **extra: Any) -> None:
        super().__init__(detail, code)
        self.extra = extra


class RunRequest(serializers.Serializer[Any]):
    """What may be chosen for a run."""

    seed = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, default=0, help_text="of the heads; the folds of infants stay"
    )


class Runs(APIView):
    """The runs, the newest first; and starting one."""

    permission_classes = [allows(Role.ADMIN)]

    @answers(list[RunSummary])
    def get(self, request: Request) -> Response:
        """The newest runs."""
        rows = TrainingRun.objects.select_related("snapshot", "job", "created_by").defer("snapshot__rows")
        return Response([run_summary(run) for run in rows[:LISTED]])

    @answers(RunDetail, asks=RunRequest, status=201, also={409: RunRefusal})
    def post(self, request: Request) -> Response:
        """Start a run, unless another one is unfinished or the preflight finds something missing."""
        options = checked(RunRequest, request.data or {})
        try:
            run = runs.start(user=person(request), request=request._request, seed=options["seed"])
        except runs.NotStarted as error:
            seen = error.preflight.as_json() if error.preflight else None
            raise Refused(str(error), code=error.code, preflight=seen) from error
        return Response(run_detail(run), status=status.HTTP_201_CREATED)


class PreflightView(APIView):
    """What a run would use, and what is missing."""

    permission_classes = [allows(Role.ADMIN)]

    @answers(TrainingPreflight)
    def get(self, request: Request) -> Response:
        return Response(preflight().as_json())


class Run(APIView):
    """One run."""

    permission_classes = [allows(Role.ADMIN)]

    @answers(RunDetail)
    def get(self, request: Request, pk: int) -> Response:
        return Response(run_detail(_run(pk)))


class CancelRun(APIView):
    """Stop a run that waits or goes on."""

    permission_classes = [allows(Role.ADMIN)]

    @answers(RunDetail, also={409: RunRefusal})
    def post(self, request: Request, pk: int) -> Response:
        """Stop the run: at once if it waits, soon if a worker is at it."""
        run = _run(pk)
        if not runs.cancel(run, user=person(request), request=request._request):
            raise Refused(f"Run {pk} has ended already. Nothing was changed.", code="run_ended")
        return Response(run_detail(_run(pk)))


class Metrics(APIView):
    """The champion's figures and the list's."""

    permission_classes = [allows(*READERS)]

    @answers(SiteMetrics)
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
    state = {"page": "training_run", "run_id": run.pk, "seq": head()}
    return render(request, "training_run.html", {"page": state, "run_id": run.pk})


@page(*READERS)
@transaction.atomic
def metrics_page(request: HttpRequest) -> HttpResponse:
    audit.record(request, "metrics.viewed")
    return render(request, "metrics.html", {"page": {"page": "metrics", "seq": head()}})
