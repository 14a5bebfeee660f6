"""How the model, the readers and the list are doing, in figures. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median, quantiles

from django.db.models import Min
from django.utils import timezone

from annotations.models import ReadRevision
from inference.messages import DEMO_WARNING
from inference.models import ModelVersion, Score
from inference.registry import champion
from inference.scheduling import TRIAGE
from studies.models import StudyRevision
from training.core.in_use import points_in_use
from training.core.report_shapes import DeployedPoint, Interval, Report, ReportMeasure, ReportPoint
from training.models import TrainingRun
from training.payloads import ChampionInUse, ChampionModel, DayCount, DelayBar, DelayFigures, SiteMetrics
from training.prevalence import from_setting

DAYS = 30
EDGES = (0, 10, 20, 30, 60, 90, 120, 180, 300, 600, 1800)
"""Seconds; the last bar is open to the right."""


def metrics(*, now: datetime | None = None) -> SiteMetrics:
    """What ``/api/v1/metrics/`` answers."""
    moment = now or timezone.now()
    since = moment - timedelta(days=DAYS - 1)
    best = champion()
    reads = ReadRevision.objects.filter(number=1, committed_at__date__gte=since.date())
    scores = Score.objects.filter(purpose=TRIAGE, created_at__date__gte=since.date())
    return {
        "champion": {"model": _model(best), "report": report_of(best)} if best else None,
        "in_use": _in_use(best, moment) if best else None,
        "reads_per_day": per_day(reads.values_list("committed_at", flat=True), now=moment),
        "scores_per_day": per_day(scores.values_list("created_at", flat=True), now=moment),
        "last_image_to_flag": delays(_seconds_to_flag(since)),
    }


def _in_use(model: ModelVersion, moment: datetime) -> ChampionInUse | None:
    """The champion's operating points at the prevalence that is set now, or was counted when the model was made."""
    run = TrainingRun.objects.filter(model=model).only("prevalence").first()
    known = from_setting() or (run.prevalence if run is not None else None)
    if known is None:
        return None
    points = points_in_use(report_of(model)["operating_points"], known["share"])
    return {"prevalence": known, "studies_per_day": _studies_per_day(moment), "points": points} if points else None


def _studies_per_day(moment: datetime) -> float:
    """Studies that came in the last days, over those days; over fewer where the first came later."""
    since = moment - timedelta(days=DAYS)
    complete = StudyRevision.objects.filter(number=1, closed_at__lte=moment)
    first: datetime | None = complete.aggregate(first=Min("closed_at"))["first"]
    if first is None:
        return 0.0
    days = min(float(DAYS), max(1.0, (moment - first) / timedelta(days=1)))
    return complete.filter(closed_at__gt=since).count() / days


def _model(model: ModelVersion) -> ChampionModel:
    return {
        "id": model.pk,
        "name": model.name,
        "trained_on_phantoms": model.trained_on_phantoms,
        "demo_warning": DEMO_WARNING if model.trained_on_phantoms else None,
        "promoted_at": model.promoted_at,
    }


def report_of(model: ModelVersion) -> Report:
    """The cross-validation that the model came with, or what its manifest says that its operating points achieved."""
    if model.report:
        report: Report = model.report
        return report
    points = {name: _achieved(point) for name, point in model.manifest["operating_points"].items()}
    trained_on = model.manifest["trained_on"]
    return {
        "operating_points": points,
        "deployed": {"operating_points": model.manifest["operating_points"]},
        "measured_on": trained_on["description"],
        "snapshot": trained_on["snapshot"],
    }


def _achieved(point: DeployedPoint) -> ReportPoint:
    achieved = point["achieved"]
    sensitivity = _measure(achieved["sensitivity"], list(achieved["interval"]))
    return {"sensitivity": sensitivity, "specificity": _measure(achieved["specificity"], [None, None])}


def _measure(pooled: float, interval: Interval) -> ReportMeasure:
    return {"mean": None, "sd": None, "per_fold": [], "pooled": pooled, "interval": interval}


def per_day(moments: Iterable[datetime], *, now: datetime) -> list[DayCount]:
    """One row for each of the last days, those without anything too; days of the site's time zone."""
    counts = Counter(timezone.localtime(moment).date() for moment in moments)
    today = timezone.localtime(now).date()
    days: list[date] = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [{"day": day.isoformat(), "count": counts[day]} for day in days]


def _seconds_to_flag(since: datetime) -> list[float]:
    """From the last image of each revision to its first score; re-scores do not count."""
    first = Score.objects.filter(purpose=TRIAGE, created_at__gte=since, probability__isnull=False)
    rows = first.values("revision", "revision__last_image_at").annotate(at=Min("created_at"))
    return [max(0.0, (row["at"] - row["revision__last_image_at"]).total_seconds()) for row in rows]


def delays(seconds: Sequence[float]) -> DelayFigures:
    """Median, 95th percentile and a histogram of waiting times in seconds."""
    bins = [*zip(EDGES, [*EDGES[1:], None], strict=True)]
    histogram: list[DelayBar] = [
        {"from": low, "to": high, "count": sum(low <= value and (high is None or value < high) for value in seconds)}
        for low, high in bins
    ]
    p95 = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else next(iter(seconds), None)
    middle = median(seconds) if seconds else None
    return {"median": middle, "p95": p95, "n": len(seconds), "histogram": histogram}
