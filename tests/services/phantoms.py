"""Phantom examinations for whole-site tests: drawn once for each test process, copied under new identifiers at will."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from training.phantom.dicom import write_exam
from training.phantom.examination import PhantomExam, exam

SEED = 11


@lru_cache(maxsize=32)
def drawn(index: int, *, grades: tuple[int, int] = (0, 0)) -> PhantomExam:
    """A small examination; the same for the same arguments."""
    return exam(SEED, index, size="small", grades=grades)


def copied(original: PhantomExam, *, clips: int | None = None) -> PhantomExam:
    """The same pictures as another study, or as its first few clips."""
    new = [replace(clip, sop_uid=_uid(), series_uid=_uid()) for clip in original.clips[:clips]]
    return replace(original, study_uid=_uid(), clips=tuple(new))


def of_another_infant(original: PhantomExam, patient_id: str) -> PhantomExam:
    """The same pictures, of an infant with this identifier."""
    return replace(original, plan=replace(original.plan, patient_id=patient_id))


def _uid() -> str:
    return f"2.25.{uuid4().int}"


def files(drawn_exam: PhantomExam, folder: Path) -> list[Path]:
    """Its DICOM files in acquisition order."""
    return write_exam(drawn_exam, folder)
