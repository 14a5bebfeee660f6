"""A real web process on a loopback port, with folders and a database of its own, that can be killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.studies.dicoms import related

ROOT = Path(__file__).resolve().parents[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """``start`` it, ``store`` instances over STOW-RS, ``kill`` it, and look at what is left."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=_free_port)
    token: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = {"FONTANELLE_VAR": str(self.folder), "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
        paths = {"PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
        return {**os.environ, "FONTANELLE_DISK_RESERVE_BYTES": "0", **own, **paths, **self.extra}

    def prepare(self) -> None:
        self._manage("migrate", "-v0")
        code = (
            "from accounts.models import User; from rest_framework.authtoken.models import Token;"
            "print(Token.objects.create(user=User.objects.create_user('r', role='radiologist')).key)"
        )
        self.token = self._manage("shell", "--no-imports", "-c", code).split()[-1]

    def _manage(self, *arguments: str) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(self.port)]
        quiet = ["--http", "config.slow_clients:ImpatientProtocol", "--log-level", "error", "--lifespan", "off"]
        self.process = subprocess.Popen([*command, *quiet], env=self.environment, cwd=ROOT)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "the web process did not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def store(self, instances: list[bytes]) -> tuple[int, dict[str, Any]]:
        """(status, answer); status 0 when the connection broke."""
        body, kind = related(instances)
        headers = {"Content-Type": kind, "Authorization": f"Token {self.token}"}
        url = f"http://127.0.0.1:{self.port}/dicom-web/studies"
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def indexed(self) -> dict[str, str]:
        """Digest by SOP Instance UID, as the database has it."""
        with sqlite3.connect(self.folder / "fontanelle.sqlite3", timeout=20) as connection:
            return dict(connection.execute("SELECT sop_uid, digest FROM studies_clip"))

    def whole(self) -> set[str]:
        """Digests of the stored files; each is checked."""
        digests = set()
        for path in (self.folder / "storage").rglob("*"):
            if path.is_file() and path.parent.name != ".staging":
                assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name, "a half-stored file"
                digests.add(path.name)
        return digests
