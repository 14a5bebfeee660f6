"""Writing what a model answered: one row for each (revision, model, purpose). No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from inference import messages
from inference.models import Flag, ModelVersion, Score
from inference.payloads import AppliedOperatingPoint, FrameAttention
from inference.scheduling import TRIAGE, request_explanation
from jobs.models import Job
from live.models import Audience
from live.publish import publish
from studies.models import StudyRevision


@dataclass
class Answer:
    """What will be written: a flag with its probability, or why there is none.

    ``logit``: the members' mean, before calibration. ``inputs``: ``score_job.ScoreInputs``, empty where nothing was
    looked at.
    """

    flag: Flag
    reason: str = ""
    probability: float | None = None
    logit: float | None = None
    attention: list[FrameAttention] = field(default_factory=list)
    operating_point: AppliedOperatingPoint | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


def write(
    revision: StudyRevision, model: ModelVersion | None, answer: Answer, *, purpose: str, seconds: float = 0.0
) -> None:
    """The one row for (revision, model, purpose), and its event. In the transaction that ends the job."""
    facts = {
        "flag": answer.flag,
        "flag_reason": answer.reason,
        "probability": answer.probability,
        "logit": answer.logit,
        "attention": answer.attention,
        "operating_point": answer.operating_point or {},
        "inputs": answer.inputs,
        "seconds": round(seconds, 3),
        "created_at": timezone.now(),
    }
    score, _ = Score.objects.update_or_create(revision=revision, model=model, purpose=purpose, defaults=facts)
    if answer.attention and purpose == TRIAGE:
        request_explanation(score)
    publish("score", audience=Audience.READERS, study_uid=revision.study.uid)


def on_quarantine(job: Job, error: str) -> None:
    """After the last failure the study says so itself, and stays where clinical order puts it."""
    revision = StudyRevision.objects.select_related("study").get(pk=job.payload["revision"])
    model = ModelVersion.objects.get(pk=job.payload["model"])
    if not Score.objects.filter(revision=revision, model=model, purpose=job.payload["purpose"]).exists():
        reason = messages.failed(job.attempts, error)
        write(revision, model, Answer(Flag.NOT_ANALYSED, reason), purpose=job.payload["purpose"])
