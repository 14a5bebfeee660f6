"""`manage.py demo`: a site to try, with generated examinations that arrive and are scored while one watches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config.demo import feeder
from config.demo.cohort import wishes
from inference.registry import ensure_demo_model

QUIET_SECONDS = "5"


class Command(BaseCommand):
    help = "Prepare the demo, serve it, and let its examinations arrive. Running it again changes nothing of anybody's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--prepare", action="store_true", help="tables, accounts and model, and no more")
        parser.add_argument("--feed", action="store_true", help="bring the examinations in, and no more")
        parser.add_argument("--unread", type=int, default=24)
        parser.add_argument("--queue", type=int, default=20)
        parser.add_argument("--history", type=int, default=120)
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo has no place in production. Nothing was made.")
        if options["feed"]:
            self._feed(options)
            return
        self._prepare()
        if not options["prepare"]:
            self._serve(options)

    def _prepare(self) -> None:
        """Tables, people and the demo model; what is there already stays."""
        self.stdout.write("Fontanelle, research use only. The demo's accounts:")
        call_command("migrate", verbosity=0)
        call_command("demo_accounts", stdout=self.stdout)
        ensure_demo_model()

    def _feed(self, options: dict[str, Any]) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        wished = wishes(unread=options["unread"], queue=options["queue"], history=options["history"])
        new = feeder.feed(wished, processes=options["processes"])
        self.stdout.write(f"{new} examinations arrived")

    def _serve(self, options: dict[str, Any]) -> None:
        self.stdout.flush()
        environment = {"FONTANELLE_QUIET_SECONDS": QUIET_SECONDS, **os.environ}
        manage = [sys.executable, str(settings.ROOT / "manage.py")]
        cohort = [f"--{name}={options[name]}" for name in ("unread", "queue", "history", "processes")]
        # Each child leads a group of its own: Ctrl+C reaches this process alone, which then ends both in order.
        serve = subprocess.Popen([*manage, "serve", "--port", str(options["port"])], env=environment, process_group=0)  # noqa: S603  our own commands
        feed = subprocess.Popen([*manage, "demo", "--feed", *cohort], env=environment, process_group=0)  # noqa: S603  our own commands
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: serve.terminate())
        status = serve.wait()
        feed.terminate()
        feed.wait()
        if status > 0:
            raise CommandError("The site could not start or go on; the lines above say why. What was stored is kept.")
