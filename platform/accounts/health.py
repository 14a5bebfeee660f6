"""Is it alive, can it work: for whatever watches the process. Neither answer says anything about how it is set up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlparse

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse

logger = logging.getLogger(__name__)
_checks: dict[str, Callable[[], None]] = {}
_dispensable: set[str] = set()


def register(name: str, check: Callable[[], None], *, dispensable: bool = False) -> None:
    """Add a check to ``/readyz``; it raises where the part is not ready.

    Without a ``dispensable`` part the web process still serves, and a proxy must not take it away: the answer says so.
    """
    _checks[name] = check
    if dispensable:
        _dispensable.add(name)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _storage() -> None:
    """A local folder must take a file; a new site has none yet. A bucket is asked by the room that owns it."""
    place = urlparse(settings.STORAGE_URL)
    if place.scheme == "file":
        Path(place.path).mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=place.path) as file:
            file.write(b"ready")
            file.flush()


register("database", _database)
register("storage", _storage)


def _state(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Exception:
        logger.warning("not ready: %s", name, exc_info=True)
        return "down"
    return "ok"


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 where this process can serve, "degraded" if a part beside it is down; else 503. The parts are named."""
    parts = {name: _state(name, check) for name, check in _checks.items()}
    down = {name for name, state in parts.items() if state != "ok"}
    if down - _dispensable:
        return JsonResponse({"status": "down", "parts": parts}, status=503)
    return JsonResponse({"status": "degraded" if down else "ok", "parts": parts})
