"""What every worker does besides its jobs: when it starts, and about once a second."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import DatabaseError

Tick = Callable[[], Any]
Start = Callable[[Sequence[str]], Any]

logger = logging.getLogger(__name__)
_ticks: list[Tick] = []
_at_start: list[Start] = []


def register(tick: Tick) -> None:
    """Add a callable that needs no argument, is quick, and is safe in several workers at once."""
    if tick not in _ticks:
        _ticks.append(tick)


def at_start(action: Start) -> None:
    """Add what each worker does before its first job, given its queues; safe in several workers at once."""
    if action not in _at_start:
        _at_start.append(action)


def run_all() -> None:
    """Run each tick; one that fails is logged and does not stop the others."""
    for tick in tuple(_ticks):
        _run(tick)


def start_all(queues: Sequence[str]) -> None:
    """Run what belongs to a worker's start, in the same way."""
    for action in tuple(_at_start):
        _run(partial(action, queues))


def _run(action: Tick) -> None:
    try:
        action()
    except DatabaseError:
        logger.warning("%s could not use the database", action, exc_info=True)
    except Exception:
        logger.exception("%s failed", action)
