"""What ``/readyz`` says about the processes beside the web process, which serves without them."""

from __future__ import annotations

from accounts import health
from jobs.celery_wake import ask_broker
from jobs.heartbeat import is_served
from jobs.models import Queue


class NoWorker(Exception):
    """Nobody does what waits in these queues."""


def _workers() -> None:
    if not is_served([Queue.STAT, Queue.ROUTINE]):
        raise NoWorker("no triage worker said lately that it lives")


def register() -> None:
    """Called where the addresses are put together, so that whoever answers ``/readyz`` knows of both."""
    health.register("workers", _workers, dispensable=True)
    health.register("broker", ask_broker, dispensable=True)
