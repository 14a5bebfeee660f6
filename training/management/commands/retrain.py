"""`manage.py retrain [--wait]`: starts a training run by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import SiteCommand
from inference.registry import ensure_demo_model
from jobs.worker import Worker
from training import runs
from training.core.report_shapes import Report, ReportMeasure
from training.models import RunStatus, TrainingRun
from training.transitions import UNFINISHED


class Command(SiteCommand):
    help = "Retrain from the reference labels. The result is a challenger: an admin promotes it, or does not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=0, help="of the heads; the folds of infants stay")
        parser.add_argument("--wait", action="store_true", help="work on it here too, and print what it measured")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_demo_model()
        try:
            run = runs.start(user=None, seed=options["seed"])
        except runs.NotStarted as error:
            raise CommandError(f"No run was started. {error}") from error
        snapshot = run.snapshot
        counts = f"{snapshot.studies} studies, {snapshot.patients} patients, {snapshot.positives} positive"
        self.stdout.write(f"Run {run.pk}: {counts}")
        if options["wait"]:
            _work_until_done(run)
            self._print(run)

    def _print(self, run: TrainingRun) -> None:
        if run.status != RunStatus.DONE:
            raise CommandError(f"Run {run.pk} was not finished: {run.get_status_display()}. {run.error}".rstrip())
        report: Report = run.report
        self.stdout.write(f"auroc {_estimate(report['auroc'])}")
        self.stdout.write(f"pr_auc {_estimate(report['pr_auc'])}")
        for point, measures in report["operating_points"].items():
            self.stdout.write(f"{point} sensitivity {_estimate(measures['sensitivity'])}")
            self.stdout.write(f"{point} specificity {_estimate(measures['specificity'])}")
        self.stdout.write(f"{run.model} is a challenger now; research use only")


def _estimate(measure: ReportMeasure) -> str:
    values = [measure["pooled"], measure["mean"], measure["sd"], *measure["interval"]]
    pooled, mean, sd, low, high = ("-" if value is None else f"{value:.3f}" for value in values)
    return f"{pooled} ({low} to {high}); over folds {mean} ± {sd}"


def _work_until_done(run: TrainingRun) -> None:
    """Beside the training worker, if there is one: the claim goes to one of them only."""
    Worker(["train"]).run_while(lambda: _goes_on(run))


def _goes_on(run: TrainingRun) -> bool:
    run.refresh_from_db()
    return run.status in UNFINISHED
