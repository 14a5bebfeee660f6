"""`manage.py worker`: does jobs until it is told to stop."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from common.commands import SiteCommand
from jobs.models import Queue
from jobs.worker import Worker


class Command(SiteCommand):
    help = "Do jobs from the job table. SIGTERM: finish or put back the present one, then leave."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queues", default="stat,routine", help="comma-separated, of stat, routine, train")
        parser.add_argument("--once", action="store_true", help="leave when nothing waits")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = [name.strip() for name in options["queues"].split(",") if name.strip()]
        if unknown := set(queues) - set(Queue.values) or not queues:
            raise CommandError(f"no such queue: {unknown}. There are {', '.join(Queue.values)}.")
        worker = Worker(queues)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.drain())
        done = worker.run(once=options["once"], starting=True)
        worker.heartbeat.remove_presence()
        self.stdout.write(f"{done} job{'' if done == 1 else 's'} done")
