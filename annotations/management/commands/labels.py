"""`manage.py labels`: labels in and out, as the page does it."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.roles import Role
from annotations.exchange import exporter
from annotations.exchange.export_records import Export
from annotations.exchange.importer import Importer, ImportResult
from common.commands import SiteCommand
from common.sheets import BadFile
from studies import access

MOST_SHOWN = 20
"""Refused rows that are printed; the report has them all."""


class Command(SiteCommand):
    help = "Export reads and reference labels, or import labels from CSV or JSON. Exports are de-identified by default."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        exporting = actions.add_parser("export")
        exporting.add_argument("file", type=Path)
        exporting.add_argument("--form", choices=exporter.FORMS, default="csv")
        exporting.add_argument("--what", choices=("reads", "labels"), default="reads")
        exporting.add_argument("--identified", metavar="REASON", default="", help="with identifiers, and why")
        importing = actions.add_parser("import")
        importing.add_argument("file", type=Path)
        importing.add_argument("--keep", action="store_true", help="keep them; without it nothing is changed")
        importing.add_argument("--confirmed", action="store_true", help="what does not go together is meant")
        importing.add_argument("--report", type=Path, help="write what became of each row to this CSV file")
        for action in (exporting, importing):
            action.add_argument("--key", default="", help="words that make the stand-ins of this export its own")
            action.add_argument("--user", required=True, help="the admin who does it")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], role=Role.ADMIN, is_active=True).first()
        if user is None:
            raise CommandError(f"No active admin is called {options['user']}. Nothing was done.")
        (self._export if options["action"] == "export" else self._import)(user, options)

    @transaction.atomic
    def _export(self, user: User, options: dict[str, Any]) -> None:
        reason = options["identified"]
        export = Export(user, bool(reason), options["what"] == "labels", options["key"])
        file = exporter.write(options["form"], export)
        digest = hashlib.sha256(file.content).hexdigest()
        audit.record_list(
            None, "labels.exported", user=user, form=options["form"], what=options["what"], identified=bool(reason),
            key="own" if options["key"] else "site", reason=reason, sha256=digest, bytes=len(file.content),
            subjects=export.subjects(),
        )  # fmt: skip
        options["file"].write_bytes(file.content)
        self.stdout.write(f"{options['file']}: {len(file.content)} bytes, sha256 {digest}. Research use only.")

    def _import(self, user: User, options: dict[str, Any]) -> None:
        try:
            data = options["file"].read_bytes()
            importer = Importer(user, confirmed=options["confirmed"], key=options["key"])
            result = importer.store(data) if options["keep"] else importer.judge(data)
        except (OSError, BadFile) as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        digest = hashlib.sha256(data).hexdigest()
        audit.record_list(
            None,
            "labels.imported",
            user=user,
            dry_run=not options["keep"],
            sha256=digest,
            counts=result.counts,
            subjects=access.subjects_of([row.study_uid for row in result.rows]),
        )
        self._report(result, options["report"])
        if refused := result.counts.get("refused"):
            done = "kept" if options["keep"] else "judged"
            raise CommandError(f"{refused} rows were refused; the others were {done}.")

    def _report(self, result: ImportResult, report: Path | None) -> None:
        if report:
            with report.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, ["line", "study_uid", "outcome", "reason", "positive"])
                writer.writeheader()
                writer.writerows(row.as_json() for row in result.rows)
        for row in [row for row in result.rows if row.outcome == "refused"][:MOST_SHOWN]:
            self.stdout.write(f"line {row.line}: {row.reason}")
        self.stdout.write(", ".join(f"{count} {outcome}" for outcome, count in sorted(result.counts.items())))
        if result.unused:
            self.stdout.write(f"columns not used: {', '.join(result.unused)}")
