"""`manage.py score [UID…] [--wait]`: asks for scores by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from common.commands import SiteCommand
from inference.current_scores import current_scores
from inference.models import ModelVersion
from inference.registry import champion, ensure_demo_model
from inference.scheduling import latest_revisions, request_score
from jobs.models import Job, JobStatus
from jobs.worker import Worker
from studies.models import StudyRevision
from studies.revisions import close_due


class Command(SiteCommand):
    help = "Score studies (without UID: all that the champion has not answered). --wait: until it is done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("uids", nargs="*", metavar="UID")
        parser.add_argument("--wait", action="store_true", help="work on it here too, and print each answer")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_demo_model()
        model = champion()
        if model is None:
            raise CommandError(
                "No model is installed; nothing was asked for. Install one: manage.py install_model PATH"
            )
        close_due()
        revisions = _revisions(options["uids"])
        jobs = [_ask(revision, model) for revision in revisions]
        self.stdout.write(f"{len(jobs)} score{'' if len(jobs) == 1 else 's'} asked for, of {model.name}")
        if options["wait"]:
            Worker(["stat", "routine"]).run_while(lambda: _waiting(jobs))
            self._report(revisions)

    def _report(self, revisions: list[StudyRevision]) -> None:
        answers = current_scores([revision.study_id for revision in revisions])
        for revision in revisions:
            answer = answers.get(revision.study_id)
            probability = f"{answer.probability:.3f}" if answer and answer.probability is not None else "-"
            result = f"{answer.flag} {probability} {answer.flag_reason}" if answer else "no answer"
            self.stdout.write(f"{revision.study.uid} revision {revision.number}: {result}".rstrip())


def _revisions(uids: list[str]) -> list[StudyRevision]:
    every = latest_revisions().order_by("study__last_image_at")
    if not uids:
        return list(every)
    revisions = list(every.filter(study__uid__in=uids))
    if unknown := set(uids) - {revision.study.uid for revision in revisions}:
        names = ", ".join(sorted(unknown))
        raise CommandError(f"Not here, or still in its quiet period: {names}. Nothing was asked for.")
    return revisions


def _ask(revision: StudyRevision, model: ModelVersion) -> Job:
    with transaction.atomic():
        return request_score(revision, model, reopen=True)


def _waiting(jobs: list[Job]) -> bool:
    keys = [job.pk for job in jobs]
    return Job.objects.filter(pk__in=keys, status__in=(JobStatus.QUEUED, JobStatus.RUNNING)).exists()
