from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_django import Settings

from studies.sandbox import pool as sandbox_pool
from studies.sandbox.pool import SandboxError
from tests.studies.dicoms import clip


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[sandbox_pool.Pool]:
    """A pool of this test's own."""
    made = sandbox_pool.Pool(2)
    monkeypatch.setattr(sandbox_pool, "_pool", made)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.dcm"
    path.write_bytes(clip())
    return path


@pytest.mark.parametrize(
    ("how", "wall", "reason"),
    [("segv", 30, "crashed"), ("memory", 30, "memory"), ("spin", 30, "processor time"), ("hang", 1, "longer than 1 s")],
)
def test_a_worker_that_ends_badly_is_a_failure_in_plain_words(
    settings: Settings, how: str, wall: int, reason: str
) -> None:
    settings.CHILD_CPU_SECONDS = 0
    settings.CHILD_WALL_SECONDS = wall
    with pytest.raises(SandboxError, match=reason):
        sandbox_pool.ask("crash", how=how)


def test_a_crash_does_not_touch_the_next_file(file: Path) -> None:
    with pytest.raises(SandboxError):
        sandbox_pool.ask("crash", how="segv")
    assert sandbox_pool.read_header(file)["modality"] == "US"


def test_a_worker_killed_from_outside_is_not_held_against_the_file(pool: sandbox_pool.Pool, file: Path) -> None:
    sandbox_pool.read_header(file)
    os.kill(pool._idle[-1].pid, signal.SIGKILL)
    assert sandbox_pool.read_header(file)["modality"] == "US"


def test_a_worker_may_wait_longer_than_a_task_may_last(pool: sandbox_pool.Pool, file: Path) -> None:
    worker = pool._new_worker()
    task = {"task": "header", "path": str(file), "memory": 1 << 31, "cpu": 9, "wall": -3}
    worker.run(task, wall=30)
    time.sleep(2.2)  # the worker's own alarm is five seconds later than ``wall``
    answer, _ = worker.run(task, wall=30)
    worker.close()
    assert "ok" in answer


def test_a_dead_fork_server_is_replaced(pool: sandbox_pool.Pool, file: Path) -> None:
    sandbox_pool.read_header(file)
    server = pool._server
    assert server is not None
    server.process.kill()
    server.process.wait()
    assert sandbox_pool.read_header(file)["modality"] == "US"


def test_workers_that_died_with_their_fork_server_are_not_asked_again(pool: sandbox_pool.Pool, file: Path) -> None:
    pool._idle += [pool._new_worker(), pool._new_worker()]
    assert pool._server is not None
    pool._server.process.kill()
    assert sandbox_pool.read_header(file)["modality"] == "US"


def test_workers_are_replaced_after_a_number_of_tasks(
    pool: sandbox_pool.Pool, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_pool, "TASKS_PER_WORKER", 1)
    sandbox_pool.read_header(file)
    assert pool._idle == []


def test_many_threads_share_the_pool(pool: sandbox_pool.Pool, file: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        uids = list(threads.map(lambda _: sandbox_pool.read_header(file)["sop_uid"], range(40)))
    assert len(set(uids)) == 1
    assert len(pool._idle) <= 2


def test_a_worker_writes_no_file(pool: sandbox_pool.Pool, file: Path) -> None:
    sandbox_pool.read_header(file)
    limits = Path(f"/proc/{pool._idle[-1].pid}/limits").read_text()
    sizes = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert sizes["Max file size"] == "0"
    assert sizes["Max core file size"] == "0"


def test_the_parent_never_loads_pydicom() -> None:
    code = "import django, sys; django.setup(); import config.urls; sys.exit('pydicom' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    where = {**os.environ, "PYTHONPATH": f"{root / 'platform'}:{root}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    assert subprocess.run([sys.executable, "-c", code], env=where, check=False).returncode == 0
