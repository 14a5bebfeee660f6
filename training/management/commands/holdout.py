"""`manage.py holdout lock|open MODEL|log`: the locked hold-out, by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from inference.models import ModelVersion
from training.core.splits import TooFewCases
from training.holdout import SHARE, NotLocked, lock
from training.models import HoldOutOpening, HoldOutResult
from training.preflight import everyone, preflight


class Command(BaseCommand):
    help = (
        "Patients whom no training sees. `lock` draws them, once; `open` measures a challenger on them and is logged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        making = what.add_parser("lock", help="draw the hold-out among the labelled patients; never again")
        making.add_argument("--share", type=float, default=SHARE)
        making.add_argument("--seed", type=int, default=0)
        opening = what.add_parser("open", help="the gate: measure a challenger that was trained here")
        opening.add_argument("model", type=int, help="number of the model")
        for one in (making, opening):
            one.add_argument("--user", help="who does it; kept in the log")
        what.add_parser("log", help="every opening: when, who, which model, which snapshot")

    def handle(self, *args: Any, **options: Any) -> None:
        {"lock": self._lock, "open": self._open, "log": self._log}[options["what"]](options)

    def _lock(self, options: dict[str, Any]) -> None:
        use_phantoms = preflight().phantoms_only
        try:
            found = lock(
                everyone(phantoms_only=use_phantoms),
                phantoms_only=use_phantoms,
                user=_person(options["user"]),
                share=options["share"],
                seed=options["seed"],
            )
        except (NotLocked, TooFewCases, ValueError) as error:
            raise CommandError(f"No hold-out was made. {error}") from error
        kind = "phantoms" if use_phantoms else "infants"
        positive = f"{found.positives} of {len(found.groups)} linked groups positive"
        self.stdout.write(f"Hold-out {found.digest[:12]}: {len(found.patients)} {kind}, {positive}. It is locked now.")

    def _open(self, options: dict[str, Any]) -> None:
        from training.holdout_gate import NotOpened, open_holdout

        model = ModelVersion.objects.filter(pk=options["model"]).first()
        if model is None:
            raise CommandError(f"There is no model {options['model']}.")
        try:
            result = open_holdout(model, user=_person(options["user"]))
        except NotOpened as error:
            raise CommandError(f"The hold-out stays closed. {error}") from error
        self._tell(result)

    def _tell(self, result: HoldOutResult) -> None:
        for name, row in result.report.items():
            if row is None:
                continue
            if "not_compared" in row:
                self.stdout.write(f"{name}: not compared. {row['not_compared']}")
                continue
            self.stdout.write(f"{name}: AUROC {_said(row['auroc'])}, {row['n_positive']} of {row['n']} positive")
            for point, measures in row["operating_points"].items():
                words = [f"{kind} {_said(one['value'])} {_between(one)}" for kind, one in measures.items()]
                self.stdout.write(f"{name}, {point}: {', '.join(words)}")
        self.stdout.write(f"Opening {result.opening.pk} is in the log; research use only")

    def _log(self, options: dict[str, Any]) -> None:
        for one in HoldOutOpening.objects.select_related("model", "opened_by", "holdout").order_by("pk"):
            who = one.opened_by.username if one.opened_by else "-"
            self.stdout.write(
                f"{one.pk} {one.opened_at:%Y-%m-%d %H:%M:%S} {who} model {one.model.digest[:12]} "
                f"snapshot {one.snapshot[:12]} hold-out {one.holdout.digest[:12]}"
            )


def _person(name: str | None) -> User | None:
    if name is None:
        return None
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(f"There is no user {name}.")
    return found


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _between(measure: dict[str, Any]) -> str:
    low, high = measure["interval"]
    return f"({low:.3f} to {high:.3f})"
