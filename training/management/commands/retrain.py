"""`manage.py retrain [--wait]`: starts a training run by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.registry import ensure_demo_model
from jobs.worker import Worker
from training import runs
from training.models import RunStatus, TrainingRun
from training.transitions import UNFINISHED


class Command(BaseCommand):
    help = "Retrain from the reference labels. The result is a challenger: an admin promotes it, or does not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=0, help="of the folds and of the heads")
        parser.add_argument("--wait", action="store_true", help="work on it here too, and print what it measured")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_demo_model()
        try:
            run = runs.start(user=None, seed=options["seed"])
        except runs.NotStarted as error:
            raise CommandError(f"No run was started. {error}") from error
        facts = run.snapshot
        self.stdout.write(
            f"Run {run.pk}: {facts.studies} studies, {facts.patients} patients, {facts.positives} positive"
        )
        if options["wait"]:
            _work_until_done(run)
            self._tell(run)

    def _tell(self, run: TrainingRun) -> None:
        if run.status != RunStatus.DONE:
            raise CommandError(f"Run {run.pk} was not finished: {run.get_status_display()}. {run.error}".rstrip())
        for name in ("auroc", "pr_auc"):
            self.stdout.write(f"{name} {_said(run.report[name])}")
        for point, measures in run.report["operating_points"].items():
            for name, measure in measures.items():
                self.stdout.write(f"{point} {name} {_said(measure)}")
        self.stdout.write(f"{run.model} is a challenger now; research use only")


def _said(measure: dict[str, Any]) -> str:
    low, high = measure["interval"]
    known = [measure["pooled"], measure["mean"], measure["sd"], low, high]
    pooled, mean, sd, low, high = ("-" if value is None else f"{value:.3f}" for value in known)
    return f"{pooled} ({low} to {high}); over folds {mean} ± {sd}"


def _work_until_done(run: TrainingRun) -> None:
    """Beside the training worker, if there is one: the claim goes to one of them only."""
    Worker(["train"]).run_while(lambda: _goes_on(run))


def _goes_on(run: TrainingRun) -> bool:
    run.refresh_from_db()
    return run.status in UNFINISHED
