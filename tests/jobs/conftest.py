from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jobs import handlers

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("driver.py")
LEASE_SECONDS = 1.0
GRACE_SECONDS = 3.0


@dataclass
class House:
    """A database of its own on disk, and real processes that work on it."""

    folder: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        lease = {"FONTANELLE_JOB_LEASE_SECONDS": str(LEASE_SECONDS), "LOG_LEVEL": "WARNING"}
        lease["FONTANELLE_WORKER_GRACE_SECONDS"] = str(GRACE_SECONDS)
        settings = {"FONTANELLE_VAR": str(self.folder), "DJANGO_SETTINGS_MODULE": "config.settings"}
        return {**os.environ, **lease, **settings}

    def worker(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(DRIVER), *arguments]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.folder / "fontanelle.sqlite3", timeout=20) as connection:
            return connection.execute(statement, values).fetchall()

    def enqueue(self, name: str, *, seconds: float, **kind: bool) -> None:
        payload = json.dumps({"name": name, "seconds": seconds, **kind})
        self.ask(
            "INSERT INTO jobs_job (kind, key, queue, rank, payload, status, attempts, alone, deaths, run_after, token,"
            " worker, progress, cancel_requested, error, created_at) VALUES ('slow', ?, 'routine', 0, ?, 'queued', 0,"
            " 0, 0, '2020-01-01 00:00:00', lower(hex(randomblob(16))), '', '{}', 0, '', '2020-01-01 00:00:00')",
            name,
            payload,
        )

    def count(self, action: str, name: str) -> int:
        asked = "SELECT count(*) FROM accounts_auditentry WHERE action = ? AND study_uid = ?"
        return int(self.ask(asked, action, name)[0][0])

    def status(self, name: str) -> str:
        return str(self.ask("SELECT status FROM jobs_job WHERE key = ?", name)[0][0])

    def wait_until(self, holds: Callable[[], bool], *, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def wait_for_start(self, name: str, *, times: int) -> None:
        self.wait_until(lambda: self.count("began", name) == times)

    def kill(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        self.processes.clear()
        self.ask("DELETE FROM jobs_job")


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("house"))
    migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"]
    subprocess.run(migrate, env=house.environment, check=True)
    return house


@pytest.fixture
def house(_migrated: House) -> Iterator[House]:
    yield _migrated
    _migrated.kill()


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> dict[str, handlers.Handler]:
    """A registry of this test's own."""
    registry: dict[str, handlers.Handler] = {}
    monkeypatch.setattr(handlers, "_handlers", registry)
    return registry
