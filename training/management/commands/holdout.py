"""`manage.py holdout lock|open MODEL|log`: the locked hold-out, by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from accounts.models import User
from common.commands import SiteCommand
from inference.models import ModelVersion
from training.core.splits import TooFewCases
from training.holdout import SHARE, NotLocked, lock
from training.models import HoldOutOpening, HoldOutResult
from training.payloads import HoldOutMeasures, HoldOutReport, HoldOutShare, NotCompared
from training.preflight import everyone, preflight


class Command(SiteCommand):
    help = (
        "Patients whom no training sees. `lock` draws them, once; `open` measures a challenger on them and is logged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        locking = commands.add_parser("lock", help="draw the hold-out among the labelled patients; never again")
        locking.add_argument("--share", type=float, default=SHARE)
        locking.add_argument("--seed", type=int, default=0)
        opening = commands.add_parser("open", help="the gate: measure a challenger that was trained here")
        opening.add_argument("model", type=int, help="number of the model")
        for command in (locking, opening):
            command.add_argument("--user", help="who does it; written to the log")
        commands.add_parser("log", help="every opening: when, who, which model, which snapshot")

    def handle(self, *args: Any, **options: Any) -> None:
        {"lock": self._lock, "open": self._open, "log": self._log}[options["command"]](options)

    def _lock(self, options: dict[str, Any]) -> None:
        use_phantoms = preflight().phantoms_only
        try:
            holdout = lock(
                everyone(phantoms_only=use_phantoms),
                phantoms_only=use_phantoms,
                user=_user(options["user"]),
                share=options["share"],
                seed=options["seed"],
            )
        except (NotLocked, TooFewCases, ValueError) as error:
            raise CommandError(f"No hold-out was made. {error}") from error
        kind = "phantoms" if use_phantoms else "infants"
        positive = f"{holdout.positives} of {len(holdout.groups)} linked groups positive"
        self.stdout.write(
            f"Hold-out {holdout.digest[:12]}: {len(holdout.patients)} {kind}, {positive}. It is locked now."
        )

    def _open(self, options: dict[str, Any]) -> None:
        from training.holdout_gate import NotOpened, open_holdout

        model = ModelVersion.objects.filter(pk=options["model"]).first()
        if model is None:
            raise CommandError(f"There is no model {options['model']}.")
        try:
            result = open_holdout(model, user=_user(options["user"]))
        except NotOpened as error:
            raise CommandError(f"The hold-out stays closed. {error}") from error
        self._print(result)

    def _print(self, result: HoldOutResult) -> None:
        report: HoldOutReport = result.report
        for name, row in (("model", report["model"]), ("champion", report["champion"])):
            if row is not None:
                self.stdout.write("\n".join(_lines(name, row)))
        self.stdout.write(f"Opening {result.opening.pk} is in the log; research use only")

    def _log(self, options: dict[str, Any]) -> None:
        for opening in HoldOutOpening.objects.select_related("model", "opened_by", "holdout").order_by("pk"):
            user = opening.opened_by.username if opening.opened_by else "-"
            self.stdout.write(
                f"{opening.pk} {opening.opened_at:%Y-%m-%d %H:%M:%S} {user} model {opening.model.digest[:12]} "
                f"snapshot {opening.snapshot[:12]} hold-out {opening.holdout.digest[:12]}"
            )


def _user(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name}.")
    return user


def _lines(name: str, row: HoldOutMeasures | NotCompared) -> Iterator[str]:
    if "not_compared" in row:
        yield f"{name}: not compared. {row['not_compared']}"
        return
    yield f"{name}: AUROC {_number(row['auroc'])}, {row['n_positive']} of {row['n']} positive"
    for point, measures in row["operating_points"].items():
        kinds = (("sensitivity", measures["sensitivity"]), ("specificity", measures["specificity"]))
        yield f"{name}, {point}: " + ", ".join(f"{kind} {_share(share)}" for kind, share in kinds)


def _share(share: HoldOutShare) -> str:
    low, high = share["interval"]
    return f"{_number(share['value'])} ({_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
