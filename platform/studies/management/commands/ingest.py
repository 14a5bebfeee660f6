"""``manage.py ingest PATH…``: take files, folders and archives in."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from common.commands import SiteCommand
from jobs.heartbeat import is_served
from jobs.models import Job, JobStatus, Queue
from studies import revisions, storage
from studies.access import every_study
from studies.ingest import archive
from studies.ingest.pipeline import BATCH, Intake
from studies.ingest.results import IngestResult, Sender
from studies.models import Outcome, StudyRevision
from studies.sandbox import pool

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 5


class Command(SiteCommand):
    help = "Take DICOM files, folders and zip archives in. Exit status 1 if any file was refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--json", action="store_true", help="print a list of {path, outcome, reason, study_uid}")
        parser.add_argument("--wait", action="store_true", help="until the studies' revisions are closed and scored")

    def handle(self, *args: Any, paths: list[Path], **options: Any) -> None:
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise CommandError(f"There is no {missing[0]}.")
        results = self._take_in(paths)
        if options["wait"]:
            wait_until_scored(sorted({result.study_uid for result in results if result.study_uid}))
        self._report(results, as_json=options["json"])
        if any(result.refused for result in results):
            raise SystemExit(1)

    def _take_in(self, paths: list[Path]) -> list[IngestResult]:
        results: list[IngestResult] = []
        intake = Intake(Sender("folder"))
        pool.warm()
        try:
            for path in (file for start in paths for file in archive.files_below(start)):
                _add(intake, path)
                if len(intake.arrivals) >= BATCH:
                    results += intake.finish()
            results += intake.finish()
        except storage.DiskFull:
            intake.abandon()
            raise CommandError(
                f"The disk is full. {len(results)} files were dealt with before; the rest was not kept."
            ) from None
        return results

    def _report(self, results: list[IngestResult], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps([result.as_json() for result in results], indent=1))
            return
        for result in results:
            if result.refused or result.code == "odd_identifiers":
                self.stdout.write(f"{result.outcome.value} {result.path}: {result.reason}")
        counts = Counter(result.outcome for result in results)
        self.stdout.write(", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome))


def _add(intake: Intake, path: Path) -> None:
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
            stream.seek(0)
            if archive.is_zip(head):
                archive.add_archive(intake, str(path), stream, path.stat().st_size)
            else:
                intake.add(str(path), storage.chunks_of(stream))
    except OSError as error:
        intake.refuse(str(path), "unreadable", f"The file cannot be opened ({error.strerror}).")


def wait_until_scored(uids: list[str]) -> None:
    """Let quiet periods end by their own rule, then wait for the jobs about the revisions; run them if nobody does."""
    while (open_studies := every_study().filter(uid__in=uids, closes_at__isnull=False)).exists():
        revisions.close_due()
        due = open_studies.order_by("closes_at").values_list("closes_at", flat=True).first()
        if due is not None:
            time.sleep(max(0.0, min((due - timezone.now()).total_seconds(), _POLL_SECONDS)))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _unfinished_jobs(uids):
        if time.monotonic() > deadline and not is_served([Queue.ROUTINE]):
            call_command("worker", "--once", stdout=sys.stderr)
            deadline = time.monotonic() + _PATIENCE_SECONDS
        time.sleep(_POLL_SECONDS)


def _unfinished_jobs(uids: list[str]) -> list[Job]:
    """Those about the latest revisions of these studies: the key of such a job starts with the revision's number."""
    revision_ids = StudyRevision.objects.filter(study__uid__in=uids).values_list("pk", flat=True)
    prefixes = tuple(f"{pk}:" for pk in revision_ids)
    unfinished = Job.objects.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])
    return [job for job in unfinished if job.key.startswith(prefixes)] if prefixes else []
