"""``manage.py reread [UID…]``: what the headers of stored files say, read again."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from common.commands import SiteCommand
from studies import reread, storage
from studies.access import every_study
from studies.dicom.facts import Header
from studies.models import Clip, Study
from studies.sandbox import pool

_SAY_EVERY_SECONDS = 5
FAILURES = (pool.SandboxError, storage.Missing, storage.Corrupt)


class Command(SiteCommand):
    help = (
        "Read scales, Doppler traces, frame times, what is known of the pixels, whole headers, and names, dates and "
        "times as they came of stored files again; studies whose pixels are now decoded otherwise are scored again. "
        "Each study is written as it is done; running it twice changes nothing more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("uids", nargs="*", metavar="UID", help="studies; all of them where none is named")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument(
            "--missing",
            action="store_true",
            help="only files whose header was never kept: goes on where an interrupted run stopped",
        )
        parser.add_argument("--user", help="who did it, for the audit trail")

    def handle(self, *args: Any, uids: list[str], **options: Any) -> None:
        user = _user_named(options["user"])
        studies = every_study().select_related("patient", "original_patient").order_by("pk")
        chosen = studies.filter(uid__in=uids) if uids else studies
        unknown = sorted(set(uids) - set(chosen.values_list("uid", flat=True))) if uids else []
        if unknown:
            raise CommandError(f"There is no study {unknown[0]}.")
        if options["missing"]:
            lacking = Clip.objects.filter(study=OuterRef("pk"), header__isnull=True)
            chosen = chosen.filter(Exists(lacking))
        counts = [
            self._study(study, user=user, dry=options["dry_run"], missing=options["missing"])
            for study in self._with_progress(chosen)
        ]
        changed, failed, again = (sum(each[index] for each in counts) for index in range(3))
        verb = "would change" if options["dry_run"] else "changed"
        self.stdout.write(f"{changed} clips {verb}, {failed} could not be read, in {len(counts)} studies")
        if again:
            self.stdout.write(f"{again} studies will be scored again")
        if failed:
            raise SystemExit(1)

    def _with_progress(self, studies: QuerySet[Study]) -> Iterator[Study]:
        """The keys first: a database does not keep a list open for hours while rows are written."""
        keys = list(studies.values_list("pk", flat=True))
        said = time.monotonic()
        for number, pk in enumerate(keys):
            if time.monotonic() - said > _SAY_EVERY_SECONDS:
                said = time.monotonic()
                self.stdout.write(f"{number} of {len(keys)} studies are done")
            yield every_study().select_related("patient").get(pk=pk)

    def _study(self, study: Study, *, user: User | None, dry: bool, missing: bool) -> tuple[int, int, int]:
        """How many of its clips changed, of how many the file could not be read, and whether it is scored again."""
        headers: dict[Clip, Header] = {}
        lacking = study.clips.filter(header__isnull=True) if missing else study.clips.all()
        clips = list(lacking.order_by("received_at", "pk"))
        for clip in clips:
            try:
                headers[clip] = reread.header_of(clip)
            except FAILURES as failure:
                self.stderr.write(f"{clip.sop_uid}: {str(failure) or type(failure).__name__}")
        found = reread.compared(study, headers)
        for clip, facts in found.clips.items():
            self.stdout.write(f"{clip.sop_uid}: {', '.join(sorted(facts))}")
        if found.as_sent:
            self.stdout.write(f"{study.uid}: names, date and time as they came")
        again = found.anything and not dry and reread.keep(study, found, user=user)
        return len(found.clips), len(clips) - len(headers), int(again)


def _user_named(name: str | None) -> User | None:
    if not name:
        return None
    try:
        return User.objects.get(username=name, is_active=True)
    except User.DoesNotExist:
        raise CommandError(f"Nobody active is called {name}.") from None
