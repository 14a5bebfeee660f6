"""What every worker does about once a second besides its jobs: sweep leases, close quiet periods."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError

Tick = Callable[[], Any]

logger = logging.getLogger(__name__)
_ticks: list[Tick] = []


def register(tick: Tick) -> None:
    """Add a callable that needs no argument, is quick, and is safe in several workers at once."""
    if tick not in _ticks:
        _ticks.append(tick)


def run_all() -> None:
    """Run each; one that fails is logged and does not stop the others."""
    for tick in tuple(_ticks):
        try:
            tick()
        except DatabaseError:
            logger.warning("%s could not use the database; it runs again in a second", tick.__qualname__, exc_info=True)
        except Exception:
            logger.exception("%s failed", tick.__qualname__)
