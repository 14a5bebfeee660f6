"""What the model says of a study now, for lists and pages, in a fixed number of queries. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import QuerySet, Subquery

from inference.current_flags import ORDER, current
from inference.messages import DEMO_WARNING
from inference.models import Explanation, Flag, ModelVersion, Score
from inference.payloads import (
    AiState,
    AppliedOperatingPoint,
    EarlierScore,
    FrameAttention,
    HeatMaps,
    ScoringModel,
    StudyScore,
)
from inference.registry import champion
from inference.scheduling import SCORE, TRIAGE
from jobs.clock import database_now
from jobs.heartbeat import is_served
from jobs.models import Job, JobStatus, Queue
from studies.models import Clip, Study, StudyRevision

STUCK_AFTER = timedelta(minutes=2)
_TRIAGE_QUEUES = (Queue.STAT, Queue.ROUTINE)
_HEAVY = ("attention", "inputs", "revision__digest", "model__manifest", "model__report")


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
    flag: Flag
    flag_reason: str
    probability: float | None
    revision: int
    model: ModelFacts | None
    operating_point: AppliedOperatingPoint | None
    scored_at: datetime
    seconds: float
    last_image_to_flag_seconds: float

    @property
    def threshold(self) -> float:
        """The probability from which a study is suspected; a half where no operating point was written down."""
        return self.operating_point["threshold"] if self.operating_point else 0.5


def current_score(study: Study) -> CurrentScore | None:
    """The present answer for one study; None until it is scored."""
    return current_scores([study.pk]).get(study.pk)


def current_scores(studies: QuerySet[Study] | Iterable[int]) -> dict[int, CurrentScore]:
    """The same for many, by study key and chosen by ``current_flags.current``: two queries however many there are."""
    keys = studies if isinstance(studies, QuerySet) else list(studies)
    rows = Score.objects.filter(revision__study__in=keys, purpose=TRIAGE).order_by(*ORDER)
    rows = rows.select_related("revision__study", "model").defer(*_HEAVY)
    best = champion()
    by_study = groupby(rows, key=lambda score: score.revision.study_id)
    choices = {study: current(list(scores), best.pk if best else None) for study, scores in by_study}
    return {study: _facts(score, _reason(score, latest)) for study, (score, latest) in choices.items()}


def _reason(score: Score, latest: Score) -> str:
    """The score's own reason; where an earlier answer stays, what the latest one was."""
    if score is latest:
        return score.flag_reason
    label = str(Flag(latest.flag).label).lower()
    return f"Suspected on revision {score.revision.number}; revision {latest.revision.number}: {label}."


def _facts(score: Score, reason: str) -> CurrentScore:
    revision = score.revision
    return CurrentScore(
        score_id=score.pk,
        study_id=revision.study_id,
        flag=Flag(score.flag),
        flag_reason=reason,
        probability=score.probability,
        revision=revision.number,
        model=model_facts(score.model, revision.study),
        operating_point=score.operating_point or None,
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
    jobs = Job.objects.filter(kind=SCORE, key__startswith=f"{revision.pk}:")
    return jobs.filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING)).exists()


def history(study: Study) -> list[EarlierScore]:
    """Every answer that this study ever had, newest first, without attention."""
    rows = Score.objects.filter(revision__study=study, purpose=TRIAGE).select_related("revision__study", "model")
    return [
        {
            "revision": row.revision.number,
            "model": row.model.name if row.model else None,
            "flag": Flag(row.flag),
            "flag_reason": row.flag_reason,
            "probability": row.probability,
            "scored_at": row.created_at,
        }
        for row in rows.defer(*_HEAVY).order_by("-created_at")
    ]


def attention(score: CurrentScore) -> list[FrameAttention]:
    """The weight of each selected frame, but for those in whose place another picture is shown now."""
    weights: list[FrameAttention] = Score.objects.values_list("attention", flat=True).get(pk=score.score_id)
    gone = _replaced(score)
    return [weight for weight in weights if weight["sop_uid"] not in gone]


def heat_maps(score: CurrentScore) -> HeatMaps | None:
    """Maps of the heaviest frames with the method that made them; None until they are computed."""
    explanation = Explanation.objects.filter(score=score.score_id).first()
    if explanation is None:
        return None
    gone = _replaced(score)
    frames = [frame for frame in explanation.frames if frame["sop_uid"] not in gone]
    return {"method": explanation.method, "frames": frames}


def _replaced(score: CurrentScore) -> set[str]:
    """Clips that showed another picture when this was scored."""
    revision = StudyRevision.objects.filter(scores=score.score_id).values("closed_at")
    clips = Clip.objects.filter(study=score.study_id, replaced_at__gt=Subquery(revision))
    return set(clips.values_list("sop_uid", flat=True))


def score_payload(study: Study, *, with_attention: bool, with_history: bool) -> StudyScore:
    """The JSON of ``studies/<uid>/score/`` for a reader who is not blinded; who may see what is decided above."""
    score = current_score(study)
    waiting = pending(study)
    if score is None:
        return _without_answer(waiting)
    return {
        "state": "not_analysed" if score.flag == Flag.NOT_ANALYSED else "scored",
        "flag": score.flag,
        "flag_reason": score.flag_reason,
        "probability": score.probability,
        "revision": score.revision,
        "newer_revision_pending": waiting,
        "model": model_payload(score.model) if score.model else None,
        "operating_point": score.operating_point,
        "scored_at": score.scored_at,
        "seconds": score.seconds,
        "last_image_to_flag_seconds": score.last_image_to_flag_seconds,
        "attention": attention(score) if with_attention else None,
        "heat_maps": heat_maps(score) if with_attention else None,
        "history": history(study) if with_history else None,
    }


def model_payload(model: ModelFacts) -> ScoringModel:
    """A model's facts as JSON."""
    return {"id": model.id, "name": model.name, "version": model.version, "demo_warning": model.demo_warning}


def _without_answer(waiting: bool) -> StudyScore:
    """Of a study that no model has answered."""
    return {
        "state": "pending" if waiting else "not_analysed",
        "flag": None,
        "flag_reason": _why_none(waiting),
        "probability": None,
        "revision": None,
        "newer_revision_pending": None,
        "model": None,
        "operating_point": None,
        "scored_at": None,
        "seconds": None,
        "last_image_to_flag_seconds": None,
        "attention": None,
        "heat_maps": None,
        "history": None,
    }


def _why_none(waiting: bool) -> str:
    if waiting:
        return "The score is on its way."
    return f"Not analysed: {ai_state()['message'] or 'no model has seen it.'}"


def ai_state() -> AiState:
    """Whether studies are scored. Down: the list is in clinical order, and every study stays in it."""
    trouble = _trouble()
    if not trouble:
        return {"state": "ok", "message": ""}
    return {"state": "down", "message": f"{trouble} The list is in clinical order; no study is hidden or delayed."}


def _trouble() -> str:
    if champion() is None:
        return "No model is installed, so nothing is scored."
    now = database_now()
    if not is_served(_TRIAGE_QUEUES):
        return "The AI does not answer: no worker is running."
    if _stuck(now - STUCK_AFTER):
        return "The AI is stuck: studies have waited for it for two minutes and none was scored."
    return ""


def _stuck(since: datetime) -> bool:
    """Something has been due since then, and nothing was begun since then."""
    jobs = Job.objects.filter(queue__in=_TRIAGE_QUEUES)
    overdue = jobs.filter(status=JobStatus.QUEUED, run_after__lt=since).exists()
    return overdue and not jobs.filter(started_at__gte=since).exists()
