"""``manage.py token USER``: an API token, alone on the last line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from rest_framework.authtoken.models import Token

from accounts import audit
from accounts.models import User
from common.commands import SiteCommand


class Command(SiteCommand):
    help = "Print an API token of a person, made if there is none yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["user"], is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody active is called {options['user']}. No token was made.")
        token, made = Token.objects.get_or_create(user=person)
        audit.record(None, "token.issued", user=person, made=made)
        self.stdout.write(token.key)
