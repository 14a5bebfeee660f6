"""Runs, snapshots, the preflight, the hold-out and the dashboards as JSON, by name. No torch, no numpy."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict, cast, final

from common.contract import Problem
from inference.models import ModelState, ModelVersion
from training.core.report_shapes import FoldCounts, Interval, PointInUse, Report, RunProgress
from training.models import RunStatus, Snapshot, TrainingRun
from training.prevalence import SitePrevalence

# ── the hold-out ─────────────────────────────────────────────────────────────────────────────────────────────────────


class HoldOutFacts(TypedDict):
    """The locked hold-out in figures; who is in it stays with the gate."""

    digest: str
    patients: int
    at: Annotated[datetime, "when it was locked"]
    openings: Annotated[int, "how often the gate opened it"]


class HoldOutShare(TypedDict):
    """A sensitivity or specificity on the hold-out."""

    value: Annotated[float | None, "0 to 1; null without studies"]
    n: Annotated[int, "studies that it is of"]
    infants: Annotated[int, "whom the studies are of"]
    interval: Annotated[Interval, "over infants: exact where each has one study, cautious where not"]


class HoldOutPoint(TypedDict):
    """What a frozen operating point reached on the hold-out."""

    sensitivity: HoldOutShare
    specificity: HoldOutShare


@final
class HoldOutMeasures(TypedDict):
    """One model on the hold-out."""

    digest: str
    n: Annotated[int, "studies"]
    n_positive: Annotated[int, "studies labelled positive"]
    left_out: Annotated[list[str], "UIDs of studies of which no frame could be decoded"]
    auroc: float | None
    operating_points: dict[str, HoldOutPoint]


@final
class NotCompared(TypedDict):
    """Why a model was not measured on the hold-out."""

    digest: str
    not_compared: str


class HoldOutReport(TypedDict):
    """The challenger on the hold-out, and the champion where there is another one."""

    model: HoldOutMeasures
    champion: HoldOutMeasures | NotCompared | None


# ── the preflight ────────────────────────────────────────────────────────────────────────────────────────────────────


class TrainingPreflight(TypedDict):
    """What a run would use, and what is missing."""

    ok: bool
    reasons: Annotated[list[str], "why no run can start, in sentences"]
    notes: Annotated[list[str], "what is worth knowing but stops nothing"]
    patients: int
    studies: int
    positives: Annotated[int, "studies labelled positive"]
    missing_positives: Annotated[int, "positive infants who are still needed, twins counted as one"]
    not_blind: Annotated[int, "studies labelled in a queue by somebody who had been shown the AI's answer"]
    folds: list[FoldCounts]
    leaks: Annotated[list[str], "patients who would be on both sides of a fold"]
    phantoms_only: bool
    holdout: HoldOutFacts | None
    prevalence: Annotated[SitePrevalence | None, "of haemorrhage at this site; null: nobody knows"]
    origins: Annotated[dict[str, int], "studies by how they came to be labelled"]
    estimate_seconds: Annotated[list[int], "with all embeddings cached on an idle machine, with none on a busy one, s"]


class RunRefusal(Problem):
    """Why no run was started, or why it cannot be cancelled; with what was looked at where that decided it."""

    preflight: NotRequired[TrainingPreflight | None]


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class TrainingSnapshot(TypedDict):
    """What a run uses, without its rows."""

    digest: str
    definition: Annotated[str, "of positive"]
    studies: int
    patients: int
    positives: Annotated[int, "studies labelled positive"]
    phantoms_only: bool
    created_at: datetime


class Challenger(TypedDict):
    """The model that a run made; what was measured stands with the run."""

    id: int
    name: str
    digest: str
    state: ModelState
    trained_on_phantoms: bool
    created_at: datetime
    promoted_at: datetime | None
    promotion_reason: str


class _RunFacts(TypedDict):
    id: int
    status: RunStatus
    progress: RunProgress
    report: Report | None
    error: str
    snapshot: TrainingSnapshot
    seed: int
    prevalence: Annotated[SitePrevalence | None, "as it was known at the start"]
    cancel_requested: bool
    created_by: Annotated[str | None, "display name"]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunSummary(_RunFacts):
    """A run in a list: its report without the curves, its model by number."""

    model: int | None


class RunDetail(_RunFacts):
    """One run with everything that it measured and the model that it made."""

    model: Challenger | None


def run_summary(run: TrainingRun) -> RunSummary:
    """A run as a list shows it."""
    report = {name: value for name, value in run.report.items() if name != "curves"}
    return {**_run_facts(run, cast(Report, report) if report else None), "model": run.model_id}


def run_detail(run: TrainingRun) -> RunDetail:
    """A run as its own page shows it."""
    return {**_run_facts(run, run.report or None), "model": None if run.model is None else _challenger(run.model)}


def _run_facts(run: TrainingRun, report: Report | None) -> _RunFacts:
    return {
        "id": run.pk,
        "status": RunStatus(run.status),
        "progress": run.progress,
        "report": report,
        "error": run.error,
        "snapshot": _snapshot(run.snapshot),
        "seed": run.seed,
        "prevalence": run.prevalence,
        "cancel_requested": run.job is not None and run.job.cancel_requested,
        "created_by": None if run.created_by is None else run.created_by.display,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def _snapshot(snapshot: Snapshot) -> TrainingSnapshot:
    return {
        "digest": snapshot.digest,
        "definition": snapshot.definition,
        "studies": snapshot.studies,
        "patients": snapshot.patients,
        "positives": snapshot.positives,
        "phantoms_only": snapshot.phantoms_only,
        "created_at": snapshot.created_at,
    }


def _challenger(model: ModelVersion) -> Challenger:
    return {
        "id": model.pk,
        "name": model.name,
        "digest": model.digest,
        "state": ModelState(model.state),
        "trained_on_phantoms": model.trained_on_phantoms,
        "created_at": model.created_at,
        "promoted_at": model.promoted_at,
        "promotion_reason": model.promotion_reason,
    }


# ── the dashboards ───────────────────────────────────────────────────────────────────────────────────────────────────


class ChampionModel(TypedDict):
    """The model that triages now."""

    id: int
    name: str
    trained_on_phantoms: bool
    demo_warning: str | None
    promoted_at: datetime | None


class ChampionFigures(TypedDict):
    """The champion, and what it came with: its cross-validation, or what its manifest says."""

    model: ChampionModel
    report: Report


class DayCount(TypedDict):
    """How many on one day of the site's time zone."""

    day: Annotated[str, "YYYY-MM-DD"]
    count: int


DelayBar = TypedDict(
    "DelayBar",
    {
        "from": Annotated[int, "s"],
        "to": Annotated[int | None, "s; null: open to the right"],
        "count": int,
    },
)
DelayBar.__doc__ = "Waiting times from one edge to the next, the upper edge left out."


class DelayFigures(TypedDict):
    """Waiting times."""

    median: Annotated[float | None, "s"]
    p95: Annotated[float | None, "s"]
    n: int
    histogram: list[DelayBar]


class ChampionInUse(TypedDict):
    """What the champion's operating points mean on this site's studies, as they come now."""

    prevalence: SitePrevalence
    studies_per_day: Annotated[float, "mean over the last 30 days, or since the first study"]
    points: Annotated[dict[str, PointInUse], "by operating point"]


class SiteMetrics(TypedDict):
    """How the model, the readers and the list are doing."""

    champion: ChampionFigures | None
    in_use: Annotated[ChampionInUse | None, "null: no champion with figures, or no prevalence is known"]
    reads_per_day: list[DayCount]
    scores_per_day: list[DayCount]
    last_image_to_flag: DelayFigures
