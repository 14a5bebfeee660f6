"""What the model says of a study now, for lists and pages, in a fixed number of queries. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from inference.messages import DEMO_WARNING
from inference.models import Explanation, Flag, ModelVersion, Score
from inference.registry import champion
from inference.scheduling import SCORE, TRIAGE
from jobs.clock import database_now
from jobs.models import Job, JobStatus, Queue, WorkerHeartbeat
from studies.models import Study, StudyRevision

ALIVE_WITHIN = timedelta(seconds=15)
STUCK_AFTER = timedelta(minutes=2)
_TRIAGE_QUEUES = (Queue.STAT, Queue.ROUTINE)
_FIELDS = [
    "state",
    "flag",
    "flag_reason",
    "probability",
    "revision",
    "newer_revision_pending",
    "model",
    "operating_point",
    "scored_at",
    "seconds",
    "last_image_to_flag_seconds",
    "attention",
    "heat_maps",
    "history",
]
_LIGHT = ("attention", "inputs", "revision__digest", "model__manifest", "model__report")


@dataclass(frozen=True)
class ModelFacts:
    """The model behind an answer, and what must be said beside it for this study."""

    id: int
    name: str
    version: str
    demo_warning: str | None


@dataclass(frozen=True)
class CurrentScore:
    """The answer that counts for a study now. ``flag_reason`` says why there is none, or why an earlier one stays."""

    score_id: int
    study_id: int
    flag: str
    flag_reason: str
    probability: float | None
    revision: int
    model: ModelFacts | None
    operating_point: dict[str, Any]
    scored_at: datetime
    seconds: float
    last_image_to_flag_seconds: float


def current_score(study: Study) -> CurrentScore | None:
    """The present answer for one study; None until it is scored."""
    return current_scores([study.pk]).get(study.pk)


def current_scores(studies: QuerySet[Study] | Iterable[int]) -> dict[int, CurrentScore]:
    """The same for many, by study key: two queries however many there are.

    The newest model that answered counts, and of its answers the one to the newest revision; but a later revision
    never silently lowers a flag: ``suspected`` stays until a reader has looked or another model is promoted.
    """
    keys = studies if isinstance(studies, QuerySet) else list(studies)
    rows = Score.objects.filter(revision__study__in=keys, purpose=TRIAGE)
    rows = rows.select_related("revision__study", "model").defer(*_LIGHT)
    by_study: dict[int, list[Score]] = {}
    for row in rows:
        by_study.setdefault(row.revision.study_id, []).append(row)
    best = champion()
    return {key: _choose(found, best.pk if best else None) for key, found in by_study.items()}


def _choose(scores: Sequence[Score], champion_id: int | None) -> CurrentScore:
    by_champion = [score for score in scores if score.model_id == champion_id]
    latest = max(by_champion or scores, key=lambda score: (score.revision.number, score.created_at))
    same_model = [score for score in scores if score.model_id == latest.model_id]
    suspected = [score for score in same_model if score.flag == Flag.SUSPECTED]
    if latest.flag == Flag.SUSPECTED or not suspected:
        return _facts(latest, latest.flag_reason)
    kept = max(suspected, key=lambda score: score.revision.number)
    words = str(Flag(latest.flag).label).lower()
    return _facts(kept, f"Suspected on revision {kept.revision.number}; revision {latest.revision.number}: {words}.")


def _facts(score: Score, reason: str) -> CurrentScore:
    revision = score.revision
    return CurrentScore(
        score_id=score.pk,
        study_id=revision.study_id,
        flag=score.flag,
        flag_reason=reason,
        probability=score.probability,
        revision=revision.number,
        model=model_facts(score.model, revision.study),
        operating_point=score.operating_point,
        scored_at=score.created_at,
        seconds=score.seconds,
        last_image_to_flag_seconds=max(0.0, (score.created_at - revision.last_image_at).total_seconds()),
    )


def model_facts(model: ModelVersion | None, study: Study) -> ModelFacts | None:
    """A model that knows phantoms only says so beside every other study."""
    if model is None:
        return None
    means_nothing = model.trained_on_phantoms and not study.is_phantom
    name, _, version = model.name.rpartition(" ")
    return ModelFacts(model.pk, name or model.name, version, DEMO_WARNING if means_nothing else None)


def pending(study: Study) -> bool:
    """Whether an answer is on its way: the quiet period runs, or a job for the last revision has not ended."""
    if study.closes_at is not None:
        return True
    revision = StudyRevision.objects.filter(study=study).order_by("-number").first()
    if revision is None:
        return False
    mine = Job.objects.filter(kind=SCORE, key__startswith=f"{revision.pk}:")
    return mine.filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING)).exists()


def history(study: Study) -> list[dict[str, Any]]:
    """Every answer that this study ever had, newest first, without attention."""
    rows = Score.objects.filter(revision__study=study, purpose=TRIAGE).select_related("revision__study", "model")
    return [
        {
            "revision": row.revision.number,
            "model": row.model.name if row.model else None,
            "flag": row.flag,
            "flag_reason": row.flag_reason,
            "probability": row.probability,
            "scored_at": row.created_at,
        }
        for row in rows.defer(*_LIGHT).order_by("-created_at")
    ]


def attention(current: CurrentScore) -> list[dict[str, Any]]:
    """Weight of each selected frame: ``{sop_uid, frame, weight}``."""
    found: list[dict[str, Any]] = Score.objects.values_list("attention", flat=True).get(pk=current.score_id)
    return found


def heat_maps(current: CurrentScore) -> dict[str, Any] | None:
    """Maps of the heaviest frames with the method that made them; None until they are computed."""
    found = Explanation.objects.filter(score=current.score_id).first()
    return {"method": found.method, "frames": found.frames} if found else None


def score_payload(study: Study, *, with_attention: bool, with_history: bool) -> dict[str, Any]:
    """The JSON of ``studies/<uid>/score/`` for a reader who is not blinded; who may see what is decided above."""
    current = current_score(study)
    waiting = pending(study)
    if current is None:
        known = {"state": "pending" if waiting else "not_analysed", "flag_reason": _why_none(waiting)}
        return {**dict.fromkeys(_FIELDS), **known}
    state = "not_analysed" if current.flag == Flag.NOT_ANALYSED else "scored"
    model = current.model
    return {
        "state": state,
        "flag": current.flag,
        "flag_reason": current.flag_reason,
        "probability": current.probability,
        "revision": current.revision,
        "newer_revision_pending": waiting,
        "model": vars_of(model) if model else None,
        "operating_point": current.operating_point or None,
        "scored_at": current.scored_at,
        "seconds": current.seconds,
        "last_image_to_flag_seconds": current.last_image_to_flag_seconds,
        "attention": attention(current) if with_attention else None,
        "heat_maps": heat_maps(current) if with_attention else None,
        "history": history(study) if with_history else None,
    }


def vars_of(model: ModelFacts) -> dict[str, Any]:
    """A model's facts as JSON."""
    return {"id": model.id, "name": model.name, "version": model.version, "demo_warning": model.demo_warning}


def _why_none(waiting: bool) -> str:
    return (
        "The score is on its way." if waiting else f"Not analysed: {ai_state()['message'] or 'no model has seen it.'}"
    )


def ai_state() -> dict[str, str]:
    """``{"state": "ok"|"down", "message"}``. Down: the list is in clinical order, and every study stays in it."""
    trouble = _trouble()
    if not trouble:
        return {"state": "ok", "message": ""}
    return {"state": "down", "message": f"{trouble} The list is in clinical order; no study is hidden or delayed."}


def _trouble() -> str:
    if champion() is None:
        return "No model is installed, so nothing is scored."
    now = database_now()
    if not _triage_worker_seen(now - ALIVE_WITHIN):
        return "The AI does not answer: no worker is running."
    if _stuck(now - STUCK_AFTER):
        return "The AI is stuck: studies have waited for it for two minutes and none was scored."
    return ""


def _triage_worker_seen(since: datetime) -> bool:
    served = WorkerHeartbeat.objects.filter(seen_at__gte=since).values_list("queues", flat=True)
    return any(queue in queues for queues in served for queue in _TRIAGE_QUEUES)


def _stuck(since: datetime) -> bool:
    """Something has been due since then, and nothing was begun since then."""
    jobs = Job.objects.filter(queue__in=_TRIAGE_QUEUES)
    overdue = jobs.filter(status=JobStatus.QUEUED, run_after__lt=since).exists()
    return overdue and not jobs.filter(started_at__gte=since).exists()
