"""``manage.py demo_accounts``: the five accounts of the demo and their password."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts import demo_accounts
from common.commands import SiteCommand


class Command(SiteCommand):
    help = "Make radiologist, annotator, annotator2, adjudicator and admin; DEMO_PASSWORD sets their password."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Accounts that everybody knows have no place in production. None was made.")
        password, accounts = demo_accounts.ensure(os.environ.get("DEMO_PASSWORD", ""))
        for account in accounts:
            note = "" if account.shared else " (has a password of its own)"
            self.stdout.write(f"{account.username:<12} {account.role.label}{note}")
        self.stdout.write(f"password: {password}")
