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


def register(name: str, check: Callable[[], None]) -> None:
    """Add a check to ``/readyz``; it raises where the part is not ready."""
    _checks[name] = check


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
    """200 where every part answers, else 503 naming those that do not."""
    parts = {name: _state(name, check) for name, check in _checks.items()}
    fine = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if fine else "down", "parts": parts}, status=200 if fine else 503)
