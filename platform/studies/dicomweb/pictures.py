"""Rendered frames: what an address asks of a picture, and a cache of those that were made (PS3.18, 8.3.5)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

from django.conf import settings

from common.atomic_file import replacing
from studies import storage
from studies.dicom.facts import Look, WindowShape
from studies.dicomweb.keys import BadQuery
from studies.dicomweb.resources import CannotGive, refusal
from studies.models import Clip
from studies.sandbox import pool

JPEG, PNG = "image/jpeg", "image/png"
THUMBNAIL_SIDE = 256
MOST_PIXELS = 8192
QUALITY = 90
_LOOK = "1"
"""Counted up whenever the same bytes are shown in another way."""


def look_of(query: Mapping[str, str], kind: str) -> Look:
    """Raises BadQuery, with a sentence."""
    return {
        "kind": kind,
        "quality": _quality(query.get("quality", "")),
        "window": _window(query.get("window", "")),
        "viewport": _viewport(query.get("viewport", "")),
    }


def thumbnail_look(query: Mapping[str, str], kind: str) -> Look:
    """Small where the address does not say how large."""
    look = look_of(query, kind)
    side = float(THUMBNAIL_SIDE)
    return {**look, "viewport": look["viewport"] or (side, side, 0.0, 0.0, 0.0, 0.0)}


def _quality(text: str) -> int:
    if not text:
        return QUALITY
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 100:
        raise BadQuery("quality is a whole number from 1 to 100.")
    return int(text)


def _window(text: str) -> tuple[float, float, WindowShape] | None:
    if not text:
        return None
    centre, width, shape = ([part.strip() for part in text.split(",")] + ["", ""])[:3]
    name = (shape or "linear").upper().replace("-", "_")
    numbers = _numbers([centre, width])
    least = 1.0 if name == "LINEAR" else 0.0
    if numbers is None or text.count(",") > 2 or name not in get_args(WindowShape):
        raise BadQuery("window is centre,width or centre,width,function: linear, linear-exact or sigmoid.")
    if numbers[1] < least or numbers[1] == 0:
        raise BadQuery("A window has a width of at least 1, or above 0 where it is linear-exact or sigmoid.")
    return numbers[0], numbers[1], cast(WindowShape, name)


def _viewport(text: str) -> tuple[float, float, float, float, float, float] | None:
    if not text:
        return None
    numbers = _numbers([part.strip() or "0" for part in text.split(",")])
    if numbers is None or len(numbers) not in (2, 6) or not all(1 <= size <= MOST_PIXELS for size in numbers[:2]):
        raise BadQuery(f"viewport is width,height in pixels to {MOST_PIXELS}, then perhaps x,y,width,height of a part.")
    width, height, left, top, wide, high = (numbers + [0.0] * 4)[:6]
    if left < 0 or top < 0 or max(map(abs, numbers)) > 65535:
        raise BadQuery("The part of a viewport begins inside the picture.")
    return width, height, left, top, wide, high


def _numbers(parts: list[str]) -> list[float] | None:
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def picture(clip: Clip, path: Path, number: int, look: Look) -> bytes:
    """One frame, from the cache where it is there; ``path`` was checked by its digest. Raises CannotGive or Busy."""
    cached = _cache(clip, number, look)
    with contextlib.suppress(FileNotFoundError):
        return cached.read_bytes()
    if not clip.has_frames:
        raise CannotGive("It holds no image.")
    if outside(clip, look):
        raise BadQuery(f"The picture has {clip.columns} x {clip.rows} pixels: that part lies outside.")
    try:
        (data,) = pool.rendered(path, [number], look)
    except pool.SandboxError as failure:
        raise refusal(failure) from failure
    with contextlib.suppress(OSError, storage.DiskFull):
        storage.check_room(len(data))
        with replacing(cached, private=True) as file:
            file.write(data)
    return data


def outside(clip: Clip, look: Look) -> bool:
    viewport = look["viewport"]
    return viewport is not None and (viewport[2] >= clip.columns or viewport[3] >= clip.rows)


def _cache(clip: Clip, number: int, look: Look) -> Path:
    name = hashlib.sha256(json.dumps([_LOOK, number, look]).encode()).hexdigest()[:32]
    folder: Path = settings.WORK_FOLDER / "rendered" / clip.digest[:2] / clip.digest
    return folder / name
