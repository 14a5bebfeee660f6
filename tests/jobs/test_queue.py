"""Asking for work and claiming it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from jobs import celery_wake, queue
from jobs.clock import database_now
from jobs.handlers import Handler
from jobs.job_context import Cancelled, JobContext
from jobs.models import Job, JobStatus, Queue, WorkerHeartbeat
from jobs.worker import Worker

pytestmark = pytest.mark.django_db
seen: list[str] = []


def note(context: JobContext) -> None:
    seen.append(context.payload["name"])


def explode(context: JobContext) -> None:
    raise ValueError("the disk is on fire")


def give_up(context: JobContext) -> None:
    raise Cancelled


def finish_badly(context: JobContext) -> None:
    def write() -> None:
        Job.objects.create(kind=context.job.kind, key=context.job.key, run_after=database_now())

    context.finish(write)


def note_quarantine(job: Job, error: str) -> None:
    seen.append(f"{job.key}: {error}")


def note_cancel(job: Job) -> None:
    seen.append(f"{job.key} cancelled")


@pytest.fixture(autouse=True)
def kinds(handled: dict[str, Handler], monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    monkeypatch.setattr(queue, "BACKOFF", timedelta(0))
    for name in ("note", "explode", "give_up", "finish_badly"):
        callbacks = (f"{__name__}:note_quarantine", f"{__name__}:note_cancel")
        handled[name] = Handler(f"{__name__}:{name}", *callbacks)


def add(name: str, kind: str = "note", **options: Any) -> Job:
    return queue.enqueue(kind, key=name, payload={"name": name}, **options)


def work() -> None:
    Worker(["stat", "routine"]).run(once=True)


def test_stat_goes_before_routine_and_low_rank_before_high() -> None:
    add("rescore", rank=2)
    add("routine")
    add("stat", queue=Queue.STAT)
    work()
    assert seen == ["stat", "routine", "rescore"]


def test_a_stat_job_is_next_behind_a_thousand_routine_ones() -> None:
    now = database_now()
    Job.objects.bulk_create(Job(kind="note", key=str(n), run_after=now, created_at=now) for n in range(1000))
    add("urgent", queue=Queue.STAT)
    job = queue.claim(["routine", "stat"], "somebody")
    assert job is not None
    assert job.key == "urgent"


def test_asking_twice_is_one_job() -> None:
    assert add("same").pk == add("same").pk
    work()
    assert seen == ["same"]


def test_asking_more_urgently_moves_the_job_that_waits() -> None:
    add("same")
    assert add("same", queue=Queue.STAT).queue == Queue.STAT
    assert Job.objects.get().queue == Queue.STAT


def test_a_job_that_is_done_runs_again_only_when_reopened() -> None:
    add("again")
    work()
    add("again")
    work()
    assert seen == ["again"]
    add("again", reopen=True)
    work()
    assert seen == ["again", "again"]


def test_a_job_waits_for_its_time() -> None:
    add("later", run_after=database_now() + timedelta(hours=1))
    work()
    assert seen == []


def test_three_failures_quarantine_the_job_and_tell_its_owner_why() -> None:
    add("broken", kind="explode")
    work()
    job = Job.objects.get()
    assert (job.status, job.attempts) == (JobStatus.QUARANTINED, 3)
    assert seen == ["broken: ValueError: the disk is on fire"]


def test_a_result_that_cannot_be_written_leaves_no_done_job() -> None:
    add("torn", kind="finish_badly")
    work()
    assert Job.objects.get().status == JobStatus.QUARANTINED


def test_a_waiting_job_is_cancelled_at_once() -> None:
    job = add("unwanted")
    assert queue.request_cancel(job)
    work()
    assert (job.status, seen) == (JobStatus.CANCELLED, ["unwanted cancelled"])


def test_a_running_job_is_cancelled_when_it_looks() -> None:
    add("stopped", kind="give_up")
    work()
    assert (Job.objects.get().status, seen) == (JobStatus.CANCELLED, ["stopped cancelled"])


def test_a_job_that_has_ended_cannot_be_cancelled() -> None:
    job = add("over")
    work()
    assert not queue.request_cancel(job)
    assert Job.objects.get().status == JobStatus.DONE


def test_a_kind_nobody_knows_fails_and_is_quarantined() -> None:
    add("strange", kind="unheard of")
    work()
    assert "unheard of" in Job.objects.get(status=JobStatus.QUARANTINED).error


def test_a_worker_shows_that_it_is_there() -> None:
    work()
    assert WorkerHeartbeat.objects.get().queues == ["stat", "routine"]


@pytest.mark.django_db(transaction=True)
def test_a_job_is_asked_for_only_inside_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        add("adrift")


@pytest.fixture
def silent_broker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A broker that takes connections and never says a word; yields the queues whose workers were to be woken.

    Another hint comes first, so that the seconds in which Celery and its transport are imported are not measured.
    """
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    celery_wake.wake(Queue.STAT)
    monkeypatch.setattr(celery_wake, "_silent_until", 0.0)
    hints: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        sender = celery_wake.hint_sender(settings.CELERY_BROKER_URL)
        send = sender.send_task

        def noted(*arguments: Any, queue: str, **options: Any) -> Any:
            hints.append(queue)
            return send(*arguments, queue=queue, **options)

        monkeypatch.setattr(sender, "send_task", noted)
        yield hints


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_does_not_answer_delays_a_commit_by_a_moment_once(silent_broker: list[str]) -> None:
    began = time.monotonic()
    for name in ("first", "second", "third"):
        with transaction.atomic():
            add(name)
    assert celery_wake.CONNECT_SECONDS * 0.9 < time.monotonic() - began < 4
    assert silent_broker == [Queue.ROUTINE]
    assert Job.objects.count() == 3


def test_an_idle_worker_leaves_when_told() -> None:
    worker = Worker(["stat"])
    threading.Timer(0.2, worker.draining.set).start()
    assert worker.run() == 0
