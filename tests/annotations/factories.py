"""Studies, scores, queues and reads for tests, one call each."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from annotations.models import Context, LabelQueue, QueueItem, ReadRevision
from annotations.queues import builder
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Answer, Evidence, Place
from inference.models import Flag, ModelState, ModelVersion, Score
from studies.models import Clip, Patient, Study, StudyRevision
from tests.accounts.people import person

_numbers = count(1)
NEGATIVE = {"right": 0, "left": 0}


def patient(**facts: Any) -> Patient:
    number = next(_numbers)
    return Patient.objects.create(**{"patient_id": f"P-{number:05}", "name": f"Test^Infant {number}", **facts})


def study(*, minutes: float = 10, clips: int = 1, of: Patient | None = None, **facts: Any) -> Study:
    """A study that came so many minutes ago, its first revision closed."""
    at = timezone.now() - timedelta(minutes=minutes)
    times = {"first_image_at": at, "last_image_at": at, "acquired_at": at}
    infant = of or patient()
    uid = f"1.2.826.0.1.{next(_numbers)}"
    made = Study.objects.create(**{"uid": uid, "patient": infant, "original_patient": infant, **times, **facts})
    for _ in range(clips):
        clip(made, received_at=at)
    if made.closes_at is None:
        revision(made, at=at)
    return made


def clip(of: Study, *, received_at: datetime | None = None, **facts: Any) -> Clip:
    number = next(_numbers)
    default = {"sop_class": "1.2.3", "series_uid": f"{of.uid}.1", "transfer_syntax": "1.2", "frames": 10, "size": 1}
    return Clip.objects.create(
        study=of,
        sop_uid=f"{of.uid}.1.{number}",
        digest=f"{number:064}",
        received_at=received_at or timezone.now(),
        **{**default, **facts},
    )


def revision(of: Study, *, at: datetime | None = None) -> StudyRevision:
    """The next revision of a study, of all its clips."""
    moment = at or timezone.now()
    made = StudyRevision.objects.create(
        study=of, number=of.revisions.count() + 1, digest=f"{of.pk:064}", last_image_at=moment, closed_at=moment
    )
    made.clips.set(of.clips.all())
    return made


def model(**facts: Any) -> ModelVersion:
    existing = ModelVersion.objects.filter(state=ModelState.CHAMPION).first()
    default: dict[str, Any] = {"name": "demo 1", "digest": "d" * 64, "manifest": {}, "trained_on_phantoms": False}
    return existing or ModelVersion.objects.create(state=ModelState.CHAMPION, **{**default, **facts})


def scored(of: Study, flag: str = Flag.SUSPECTED, probability: float | None = 0.8, **facts: Any) -> Score:
    """The champion's answer to a study's latest revision."""
    latest = of.revisions.order_by("-number").first() or revision(of)
    first = of.clips.first()
    looked = [{"sop_uid": first.sop_uid, "frame": 3, "weight": 1.0}] if first else []
    return Score.objects.create(
        revision=latest,
        model=model(),
        flag=flag,
        probability=None if flag == Flag.NOT_ANALYSED else probability,
        **{"created_at": timezone.now(), "attention": looked, **facts},
    )


def queue(*studies: Study, readers: list[User] | None = None, readers_per_study: int = 2) -> LabelQueue:
    chosen = Study.objects.filter(pk__in=[each.pk for each in studies])
    return builder.make_from_studies(
        "Test queue", chosen, readers=readers, readers_per_study=readers_per_study, why="not read yet"
    )


def item(of: Study) -> QueueItem:
    return QueueItem.objects.get(study=of)


def read(
    of: Study, reader: User | None = None, *, context: Context = Context.TRIAGE, seen: Any = None, **said: Any
) -> ReadRevision:
    """A committed read; no haemorrhage unless it says so."""
    who = reader or person(Role.RADIOLOGIST if context == Context.TRIAGE else Role.ANNOTATOR)
    return commit_at(Place(of, who, context, None if context == Context.TRIAGE else item(of)), said, seen)


def commit_at(place: Place, said: dict[str, Any], seen: Any = None) -> ReadRevision:
    """Commit this answer, a negative one where it says nothing, from the draft that is there."""
    findings = said or NEGATIVE
    before = place.find()
    version = before.draft_version if before else 0
    evidence = Evidence(f"key-{next(_numbers)}", seen or [], 1000)
    return lifecycle.commit(place, Answer(findings, "", version), evidence)[0]
