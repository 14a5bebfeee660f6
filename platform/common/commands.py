"""A command that says in a sentence what is wrong with the database, as a person at a terminal needs it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import InterfaceError, OperationalError, ProgrammingError


class SiteCommand(BaseCommand):
    """A command that works on the tables of the site. Where they are missing or old it says what to do."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, ProgrammingError, InterfaceError) as error:
            if reason := _reason():
                raise CommandError(reason) from error
            raise


def _reason() -> str:
    """Empty where neither a missing migration nor a missing database explains an error."""
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        return f"The database does not answer: {str(error).strip()}"
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not missing:
        return ""
    steps = "1 migration is" if missing == 1 else f"{missing} migrations are"
    return f"The database is not up to date, {steps} missing: run manage.py migrate first."
