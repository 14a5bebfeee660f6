"""A worker that is killed in the middle of a job loses nothing and never makes two results: real processes, SIGKILL."""

from __future__ import annotations

import signal

import pytest

from tests.jobs.conftest import GRACE_SECONDS, House

pytestmark = pytest.mark.faults


def test_a_killed_workers_job_is_done_once_by_the_next(house: House) -> None:
    house.enqueue("killed", seconds=1.5)
    first = house.worker()
    house.wait_until(lambda: house.count("began", "killed") == 1)
    first.kill()
    house.worker()
    house.wait_until(lambda: house.status("killed") == "done")
    assert (house.count("began", "killed"), house.count("result", "killed")) == (2, 1)


def test_a_worker_that_slept_through_its_lease_writes_nothing(house: House) -> None:
    house.enqueue("frozen", seconds=1.0)
    first = house.worker()
    house.wait_until(lambda: house.count("began", "frozen") == 1)
    first.send_signal(signal.SIGSTOP)
    house.worker()
    house.wait_until(lambda: house.status("frozen") == "done")
    first.send_signal(signal.SIGCONT)
    first.send_signal(signal.SIGTERM)
    first.wait(timeout=120)
    assert house.count("result", "frozen") == 1


def test_a_job_that_kills_its_worker_is_started_three_times_and_no_more(house: House) -> None:
    house.enqueue("poison", seconds=0, dies=True)
    house.enqueue("innocent", seconds=0)
    assert house.worker().wait(timeout=120) != 0
    house.worker()
    house.wait_until(lambda: house.status("poison") == "quarantined")
    assert (house.count("began", "poison"), house.count("result", "innocent")) == (3, 1)


def test_random_kills_of_workers_convict_no_innocent_job(house: House) -> None:
    house.enqueue("unlucky", seconds=1.0)
    for kills in range(4):
        worker = house.worker()
        house.wait_for_start("unlucky", times=kills + 1)
        worker.kill()
    house.worker()
    house.wait_until(lambda: house.status("unlucky") == "done")
    assert house.count("result", "unlucky") == 1


def test_a_worker_told_to_stop_puts_its_job_back_uncounted(house: House) -> None:
    house.enqueue("drained", seconds=60)
    worker = house.worker()
    house.wait_until(lambda: house.count("began", "drained") == 1)
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert house.ask("SELECT status, attempts FROM jobs_job") == [("queued", 0)]


def test_a_worker_whose_job_does_not_look_leaves_within_its_grace(house: House) -> None:
    house.enqueue("deaf", seconds=60, deaf=True)
    worker = house.worker()
    house.wait_for_start("deaf", times=1)
    worker.terminate()
    assert worker.wait(timeout=GRACE_SECONDS + 10) == 0
    assert house.ask("SELECT status, attempts FROM jobs_job") == [("queued", 0)]
    assert house.ask("SELECT worker FROM jobs_workerheartbeat WHERE worker LIKE ?", f"%:{worker.pid}:%") == []


def test_a_job_that_ends_within_the_grace_is_done(house: House) -> None:
    house.enqueue("short", seconds=1.0, deaf=True)
    worker = house.worker()
    house.wait_for_start("short", times=1)
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert house.status("short") == "done"


def test_a_long_job_keeps_its_lease_from_an_idle_worker(house: House) -> None:
    house.enqueue("long", seconds=3.0)
    house.worker()
    house.worker()
    house.wait_until(lambda: house.status("long") == "done")
    assert house.count("began", "long") == 1


def test_two_workers_share_the_work_without_doing_any_twice(house: House) -> None:
    names = [f"shared{number}" for number in range(20)]
    for name in names:
        house.enqueue(name, seconds=0.05)
    workers = [house.worker("--once"), house.worker("--once")]
    for worker in workers:
        worker.wait(timeout=120)
    assert [house.count("began", name) for name in names] == [1] * 20
