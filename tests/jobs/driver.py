"""A real worker process for tests of kills: `python driver.py`, with a handler that is slow on request.

The result of a job is an audit entry, so that two results would be two rows.
"""

# ruff: noqa: E402  Django is set up before anything that touches its models is imported
from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.core.management import call_command

from accounts.models import AuditEntry
from jobs import periodic, queue
from jobs.handlers import Handler, register
from jobs.job_context import JobContext


def slow(context: JobContext) -> None:
    """Say that the work began, take a while, then write the one result."""
    AuditEntry.objects.create(action="began", study_uid=context.payload["name"])
    if context.payload.get("dies"):
        os.abort()
    until = time.monotonic() + context.payload["seconds"]
    while time.monotonic() < until:
        if not context.payload.get("deaf"):
            context.cancelled()
        time.sleep(0.01)
    context.finish(lambda: write(context.payload["name"]))


def write(name: str) -> None:
    AuditEntry.objects.create(action="result", study_uid=name)


queue.BACKOFF = timedelta(seconds=0.1)
register("slow", Handler(f"{__name__}:slow"))

periodic._at_start.clear()  # these jobs need no model

if __name__ == "__main__":
    call_command("worker", "--queues", "stat,routine", *sys.argv[1:])
