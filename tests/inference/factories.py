"""Studies with clips and revisions in the database, and models to score them; pixels are faked at one seam."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.conf import settings
from django.utils import timezone

from inference import registry
from inference.core.manifest import TrainedOn
from inference.core.network import backbone, head
from inference.core.weights import write_model
from inference.models import ModelVersion
from jobs.worker import Worker
from studies.models import Clip, Patient, Study, StudyRevision
from studies.revisions import close_due
from tests.inference.core.tiny_model import manifest

_numbers = count(1)
BUDGET = 6


def write_folder(folder: Path, *, seed: int = 0, kind: str = "phantoms") -> None:
    """A small whole model; another ``seed`` is another model over the same backbone."""
    shutil.copytree(_made(seed, kind), folder)


@lru_cache
def _made(seed: int, kind: str) -> Path:
    """Each model is made once for all tests of this process."""
    torch.manual_seed(0)
    stem = backbone("resnet18")
    torch.manual_seed(seed)
    heads = [head("gated", 512) for _ in range(2)]
    trained_on = TrainedOn(kind, "nothing", "0" * 64, 0, 0)
    plain = manifest(name=f"tiny{seed}", frame_budget=BUDGET, trained_on=trained_on)
    folder: Path = settings.VAR / f"tiny-{seed}-{kind}-{os.getpid()}"
    write_model(folder, manifest=plain, backbone=stem, heads=heads)
    return folder


def installed(folder: Path, *, champion: bool = True, **facts: Any) -> ModelVersion:
    write_folder(folder, **facts)
    model = registry.install(folder)
    if champion:
        registry.promote(model, user=None, reason="for a test")
        model.refresh_from_db()
    return model


def study(*, clips: Sequence[int] = (4, 1, 1), phantom: bool = True, **facts: Any) -> Study:
    """A study whose quiet period is over; ``clips`` counts the frames of each."""
    number = next(_numbers)
    patient = facts.pop("patient", None) or Patient.objects.create(patient_id=f"P{number}")
    now = timezone.now()
    moments = {"first_image_at": now, "last_image_at": now, "closes_at": now - timedelta(seconds=1)}
    uid = f"2.25.{number}"
    made = Study.objects.create(
        uid=uid, patient=patient, original_patient=patient, is_phantom=phantom, **{**moments, **facts}
    )
    for frames in clips:
        add_clip(made, frames=frames)
    return made


def add_clip(to: Study, *, frames: int, **facts: Any) -> Clip:
    number = next(_numbers)
    plain = {"sop_class": "1.2", "series_uid": "1.2.3", "transfer_syntax": "1.2.840.10008.1.2.1", "size": 1}
    image = {"rows": 60, "columns": 80, "scorable": True, "received_at": timezone.now()}
    return Clip.objects.create(
        study=to, sop_uid=f"2.25.9{number}", digest=f"{number:064d}", frames=frames, **{**plain, **image, **facts}
    )


def close(of: Study) -> StudyRevision:
    """The revision that the end of the quiet period makes, with everything that hangs on it."""
    Study.objects.filter(pk=of.pk).update(closes_at=timezone.now() - timedelta(seconds=1))
    close_due()
    return of.revisions.get(number=of.revisions.count())


def frames_of(clip: Clip, numbers: Sequence[int]) -> list[np.ndarray[Any, Any]]:
    """What decoding would give: noise that depends on the clip and the frame alone."""
    seeds = (np.random.default_rng([clip.pk, number]) for number in numbers)
    return [seed.integers(0, 255, (clip.rows, clip.columns), dtype=np.uint8) for seed in seeds]


def work(*queues: str) -> None:
    """Do what waits, as a worker would."""
    Worker(queues or ("stat", "routine")).run(once=True)
