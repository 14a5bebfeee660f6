"""`manage.py serve`: the whole house on one machine."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.supervisor import Child, supervise


class Command(BaseCommand):
    help = "Run the web process, a triage worker and a training worker, and restart any that dies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        _refuse_taken_port(host, port)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        threading.Thread(target=self._announce, args=(host, port, stopping), daemon=True).start()
        supervise(_children(host, port), stopping)

    def _announce(self, host: str, port: int, stopping: threading.Event) -> None:
        while not stopping.is_set():
            with socket.socket() as probe:
                if probe.connect_ex((host, port)) == 0:
                    self.stdout.write(f"Fontanelle runs at http://{host}:{port}/  (research use only; Ctrl+C stops it)")
                    self.stdout.flush()
                    return
            time.sleep(0.1)


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"{host}:{port} cannot be used: {error}. Choose another with --port or PORT.") from None


def _children(host: str, port: int) -> list[Child]:
    root: Path = settings.ROOT
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "platform"), str(root)])}
    environment.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    environment.setdefault("PUBLIC_URL", f"http://{host}:{port}")
    manage = [sys.executable, str(root / "manage.py"), "worker", "--queues"]
    web = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--host", host, "--port", str(port)]
    # Which proxy is believed is a setting of the site (TRUSTED_PROXIES); uvicorn would believe every local one.
    web.append("--no-proxy-headers")
    web += [
        "--http",
        "config.slow_clients:ImpatientProtocol",
        "--lifespan",
        "off",
        "--no-access-log",
        "--timeout-graceful-shutdown",
        "10",
        "--ws-max-size",
        "65536",
    ]
    return [
        Child("the web process", web, environment),
        Child("the triage worker", [*manage, "stat,routine"], environment),
        Child("the training worker", [*manage, "train"], environment),
    ]
