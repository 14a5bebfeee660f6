"""What every worker does besides its jobs: when it starts, and about once a second."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError

Tick = Callable[[], Any]

logger = logging.getLogger(__name__)
_ticks: list[Tick] = []
_at_start: list[Tick] = []


def register(tick: Tick) -> None:
    """Add a callable that needs no argument, is quick, and is safe in several workers at once."""
    if tick not in _ticks:
        _ticks.append(tick)


def at_start(action: Tick) -> None:
    """Add a callable that each worker runs before its first job; safe in several workers at once."""
    if action not in _at_start:
        _at_start.append(action)


def run_all() -> None:
    """Run each tick; one that fails is logged and does not stop the others."""
    _run(_ticks)


def start_all() -> None:
    """Run what belongs to a worker's start, in the same way."""
    _run(_at_start)


def _run(actions: list[Tick]) -> None:
    for tick in tuple(actions):
        try:
            tick()
        except DatabaseError:
            logger.warning("%s could not use the database; it runs again in a second", tick.__qualname__, exc_info=True)
        except Exception:
            logger.exception("%s failed", tick.__qualname__)
