"""Running one claimed job in a process of its own, so that a death tells whether the job is to blame."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.models import Job

LOOK_SECONDS = 0.1


class Died(Exception):
    """The process ended without ending the job; the message says how."""


def run(job: Job, draining: threading.Event) -> None:
    """Start a process for the job and wait for it; it beats, fails and finishes for itself. Raises Died.

    Told to drain, it passes that on. The process is killed with this one, whose lease then lapses.
    """
    spawning = multiprocessing.get_context("spawn")
    process = spawning.Process(target=_child, args=(job.pk, job.token.hex, os.getpid()), name=f"job-{job.pk}")
    process.start()
    terminated = False
    while process.is_alive():
        process.join(LOOK_SECONDS)
        if draining.is_set() and not terminated:
            terminated = True
            process.terminate()
    if process.exitcode:
        raise Died(_reason(process))


def _reason(process: BaseProcess) -> str:
    code = process.exitcode or 0
    ending = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    return f"The process that did it {ending}."


def _child(pk: int, token: str, parent: int) -> None:
    """The main function of the process. Django is set up first: this module is imported without it."""
    import django

    django.setup()
    from jobs.heartbeat import Heartbeat
    from jobs.models import Job, JobStatus
    from jobs.runner import Runner
    from jobs.supervisor import die_with_parent

    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        return
    draining = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: draining.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = Job.objects.filter(pk=pk, token=token, status=JobStatus.RUNNING).first()
    if job is not None:
        with Heartbeat(f"job-{pk}", queues=()) as heartbeat:
            Runner(heartbeat, draining).run(job)
