"""``manage.py unlock USER``: a name that was tried too often is open again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts import audit, sign_in_throttle
from accounts.models import User
from common.commands import SiteCommand


class Command(SiteCommand):
    help = "Open a name again that too many wrong passwords have closed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        name = options["user"]
        if not User.objects.filter(username=name).exists():
            raise CommandError(f"Nobody is called {name}. Nothing was changed.")
        closed = sign_in_throttle.unlock(name)
        audit.record(None, "user.unlocked", account=name, was_closed=closed)
        self.stdout.write(f"{name} can sign in again." if closed else f"{name} was not closed.")
