"""``manage.py make_queue NAME``: a label queue of studies that nobody has read yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts import audit
from accounts.models import User
from annotations.models import LabelQueue
from annotations.queues import builder, candidates
from common.commands import SiteCommand
from studies import access

NOT_READ = "not read yet"


class Command(SiteCommand):
    help = "Make a label queue. Without --study it takes every study that nobody has read and no active queue holds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--from-unlabelled", action="store_true", help="every study not read yet (the default)")
        parser.add_argument("--study", action="append", default=[], metavar="UID", help="this study; may be repeated")
        parser.add_argument("--readers", type=int, default=2, metavar="N", help="readers per study (2)")
        parser.add_argument(
            "--reader", action="append", default=[], metavar="USER", help="who labels it (all annotators, adjudicators)"
        )
        parser.add_argument("--why", default=NOT_READ, help="shown to readers; must say nothing of AI or other readers")
        parser.add_argument("--identified", action="store_true", help="readers see who the infant is")
        parser.add_argument(
            "--whole-pictures", action="store_true", help="also show them pictures that name no ultrasound region"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if options["readers"] < 1:
            raise CommandError("A queue needs at least one reader per study. No queue was made.")
        if LabelQueue.objects.filter(name=options["name"], active=True).exists():
            self.stdout.write(f"{options['name']} is there already; nothing was changed.")
            return
        studies = access.every_study().filter(uid__in=options["study"]) if options["study"] else candidates.unlabelled()
        queue = builder.make_from_studies(
            options["name"],
            studies,
            readers_per_study=options["readers"],
            readers=self._people(options["reader"]),
            why=options["why"],
            identified=options["identified"],
            whole_pictures=options["whole_pictures"],
        )
        audit.record(None, "label_queue.made", queue=queue.pk, items=queue.items.count())
        self.stdout.write(f"{queue.name}: {queue.items.count()} studies, {queue.readers_per_study} readers each.")

    def _people(self, usernames: list[str]) -> list[User]:
        people = list(User.objects.filter(username__in=usernames, is_active=True))
        unknown = sorted(set(usernames) - {person.username for person in people})
        if unknown:
            raise CommandError(f"Nobody active is called {', '.join(unknown)}. No queue was made.")
        return people
