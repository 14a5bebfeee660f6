"""`manage.py demo`: a site to try, with generated examinations that arrive and are scored while one watches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config.demo import feeder
from config.demo.cohort import wishes
from inference.registry import ensure_demo_model
from jobs.supervisor import GRACE_SECONDS, die_with_parent

QUIET_SECONDS = "5"
_LOOK_SECONDS = 0.5
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        # What is stored is stored whole, and the next start goes on: there is nothing to wait for.
        for number in _STOPPING:
            signal.signal(number, lambda *_: os._exit(0))
        wished = wishes(unread=options["unread"], queue=options["queue"], history=options["history"])
        new = feeder.feed(wished, processes=options["processes"])
        self.stdout.write(f"{new} examinations arrived")

    def _serve(self, options: dict[str, Any]) -> None:
        self.stdout.flush()
        cohort = [f"--{name}={options[name]}" for name in ("unread", "queue", "history", "processes")]
        status = _run_both(["serve", "--port", str(options["port"])], ["demo", "--feed", *cohort])
        if status > 0:
            raise CommandError("The site could not start or go on; the lines above say why. What was stored is kept.")


def _run_both(serve: list[str], feed: list[str]) -> int:
    """Until the site ends, or a signal ends both at once; its status. A child that outstays its grace is killed."""
    children: list[subprocess.Popen[bytes]] = []
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        for child in children:
            child.terminate()

    for number in _STOPPING:
        signal.signal(number, stop)
    children += [_started(serve), _started(feed)]
    if stopped:
        stop(stopped[0], None)
    site, feeder = children
    status = _ended(site, stopped)
    feeder.terminate()
    _end(feeder)
    return status


def _ended(site: subprocess.Popen[bytes], stopped: list[int]) -> int:
    """How the site ended by itself; 0 where it was told to."""
    while not stopped:
        with suppress(subprocess.TimeoutExpired):
            return site.wait(_LOOK_SECONDS)
    _end(site)
    return 0


def _started(words: list[str]) -> subprocess.Popen[bytes]:
    """Each leads a group of its own: Ctrl+C reaches the demo alone, which then ends both. They end with it, too."""
    environment = {"FONTANELLE_QUIET_SECONDS": QUIET_SECONDS, **os.environ}
    command = [sys.executable, str(settings.ROOT / "manage.py"), *words]
    return subprocess.Popen(command, env=environment, process_group=0, preexec_fn=die_with_parent)  # noqa: S603  our own commands


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(GRACE_SECONDS + _LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
