"""The table of transitions, and what no order of steps can break."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import queue
from jobs.clock import database_now
from jobs.handlers import Handler
from jobs.models import Job, JobStatus
from jobs.transitions import TRANSITIONS, Lost, NotAllowed, Step, move, target

ENDED = {JobStatus.DONE, JobStatus.QUARANTINED, JobStatus.CANCELLED}


@pytest.mark.parametrize(("status", "step"), list(itertools.product(JobStatus, Step)))
def test_only_the_pairs_of_the_table_are_allowed(status: JobStatus, step: Step) -> None:
    if (status, step) in TRANSITIONS:
        assert target(status, step) == TRANSITIONS[(status, step)]
        return
    with pytest.raises(NotAllowed):
        target(status, step)


def test_every_status_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS.values()) == set(JobStatus) == {status for status, _ in TRANSITIONS}


def test_an_ended_job_moves_only_by_being_reopened() -> None:
    assert {step for status, step in TRANSITIONS if status in ENDED} == {Step.REOPEN}


@pytest.mark.django_db
def test_the_second_to_move_a_job_is_told_that_it_lost() -> None:
    job = queue.enqueue("any", key="once", payload={})
    move(job, Step.CLAIM)
    with pytest.raises(Lost):
        move(job, Step.CLAIM)


class Crowd:
    """Several workers, one job, and every step that any of them may try at any time with what it believes."""

    def __init__(self) -> None:
        self.job = queue.enqueue("crowd", key="the job", payload={}, reopen=True)
        self.held: list[Job] = []
        self.results = 0
        self.reopened = 0

    def claim(self) -> None:
        Job.objects.filter(status=JobStatus.QUEUED).update(run_after=database_now())
        if (job := queue.claim(["routine"], f"worker {len(self.held)}")) is not None:
            self.held.append(job)

    def lapse(self) -> None:
        Job.objects.filter(status=JobStatus.RUNNING).update(lease_until=database_now() - timedelta(seconds=1))
        queue.sweep()

    def cancel(self) -> None:
        queue.request_cancel(self.job)

    def reopen(self) -> None:
        before = Job.objects.get(pk=self.job.pk).status
        queue.enqueue("crowd", key="the job", payload={}, reopen=True)
        self.reopened += before in ENDED

    def _count(self) -> None:
        self.results += 1

    def finish(self, which: int) -> None:
        self._try(which, lambda job: queue.finish(job, self._count))

    def fail(self, which: int) -> None:
        self._try(which, lambda job: queue.fail(job, "it failed"))

    def release(self, which: int) -> None:
        self._try(which, queue.release)

    def beat(self, which: int) -> None:
        self._try(which, queue.heartbeat)

    def _try(self, which: int, step: Callable[[Job], Any]) -> None:
        if self.held:
            with suppress(Lost, NotAllowed):
                step(self.held[which % len(self.held)])


ANYTHING = st.one_of(
    st.tuples(st.sampled_from(["claim", "lapse", "cancel", "reopen"])),
    st.tuples(st.sampled_from(["finish", "fail", "release", "beat"]), st.integers(0, 5)),
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(ANYTHING, max_size=25))
def test_no_order_of_steps_makes_two_results_or_loses_a_job(handled: dict[str, Handler], steps: list[Any]) -> None:
    handled["crowd"] = Handler("nobody:runs")
    Job.objects.all().delete()
    crowd = Crowd()
    for name, *arguments in steps:
        getattr(crowd, name)(*arguments)
    job = Job.objects.get(pk=crowd.job.pk)
    assert crowd.results <= crowd.reopened + 1
    assert job.status != JobStatus.DONE or crowd.results >= 1
    assert job.attempts <= 3
    assert (job.lease_until is not None) == (job.status == JobStatus.RUNNING)
