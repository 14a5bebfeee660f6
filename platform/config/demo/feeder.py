"""Brings the demo's examinations in, one after another, as a scanner would."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from django.conf import settings

from config.demo import cohort, history
from config.demo.cohort import Part, Wish
from jobs.supervisor import help_parent
from studies.access import every_study
from studies.ingest.pipeline import Intake
from studies.ingest.results import Sender
from studies.models import Patient, Priority, Study
from studies.storage import chunks_of

logger = logging.getLogger(__name__)

NICENESS = 10
AHEAD = 3


def feed(wished: Iterable[Wish], *, processes: int) -> int:
    """Generate and take in what is missing; the number of examinations that are new.

    Generation runs in processes of its own with low priority, so that pages and scores stay quick.
    """
    missing = [wish for wish in wished if not _has_arrived(wish)]
    folder = settings.WORK_FOLDER / "demo"
    for wish, files in _written(missing, folder, processes):
        take_in(wish, files)
        shutil.rmtree(files[0].parent, ignore_errors=True)
    return len(missing)


def _has_arrived(wish: Wish) -> bool:
    return every_study().filter(accession=wish.accession).exists()


def _written(wished: list[Wish], folder: Path, processes: int) -> Iterator[tuple[Wish, list[Path]]]:
    """Wishes with their files, in order, a few generated ahead of time."""
    spawn = multiprocessing.get_context("spawn")
    waiting: deque[tuple[Wish, Future[list[Path]]]] = deque()
    pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=help_parent, initargs=(os.getpid(), NICENESS))
    try:
        for wish in wished:
            waiting.append((wish, pool.submit(cohort.write, wish, folder)))
            if len(waiting) > AHEAD:
                first, files = waiting.popleft()
                yield first, files.result()
        for wish, files in waiting:
            yield wish, files.result()
    finally:
        pool.shutdown(cancel_futures=True)


def take_in(wish: Wish, files: list[Path]) -> None:
    """Ingest the files, add what DICOM lacks, and the reads of an examination that has some."""
    intake = Intake(Sender("demo"))
    for path in files:
        with path.open("rb") as stream:
            intake.add(path.name, chunks_of(stream))
    study = every_study().get(uid=intake.finish()[0].study_uid)
    _complete(study, wish)
    if wish.part is not Part.UNREAD:
        history.read(study, wish)
    logger.debug("demo: %s %s", wish.part.name.lower(), study.accession)


def _complete(study: Study, wish: Wish) -> None:
    """Facts that come from the ward and not from the scanner. What somebody entered is left alone."""
    planned = wish.plan
    unknown = Patient.objects.filter(pk=study.patient_id, gestational_age_days=None)
    unknown.update(
        gestational_age_days=round(planned.gestational_age_weeks * 7),
        birth_weight_g=planned.birth_weight_g,
        twin_group=planned.twin_group,
    )
    if wish.stat:
        every_study().filter(pk=study.pk).update(priority=Priority.STAT)
