"""``manage.py audit verify``: whether the audit trail is as it was written. ``audit seal``: link what waits now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import audit_chain
from common.commands import SiteCommand


class Command(SiteCommand):
    help = "Check the chain over the audit trail (verify), or link the entries that wait for it (seal)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("step", choices=["verify", "seal"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["step"] == "seal":
            self.stdout.write(f"{audit_chain.seal()} entries sealed")
            return
        verdict = audit_chain.verify()
        if verdict.problems:
            raise CommandError("The audit trail was changed. " + " ".join(verdict.problems))
        self.stdout.write(
            f"{verdict.links} entries are as they were sealed, {verdict.heads} daily heads fit, "
            f"{verdict.unsealed} wait to be sealed"
        )
