"""Frames of clips: for screens from a cache that the first request fills, for the worker in grey."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from django.conf import settings

from studies import storage
from studies.models import Clip
from studies.sandbox import pool

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

THUMBNAIL_SIDE = 256
AHEAD = 32
_AHEAD_SECONDS = 0.1
_GREY_BATCH = 64
_KINDS = {"image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True)
class Frame:
    """An encoded 8-bit picture; ``source`` is ``passthrough`` when these are the device's own bytes."""

    data: bytes
    content_type: str

    @property
    def source(self) -> str:
        return "passthrough" if self.content_type == "image/jpeg" else "png"


class FrameError(Exception):
    """The pixels cannot be shown; ``reason`` is for a person. ``busy``: the machine was slow, the file may be good."""

    def __init__(self, reason: str, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.busy = busy


class _Turn:
    """A lock that is forgotten when nobody holds it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()
_turns_lock = threading.Lock()


def frame_bytes(clip: Clip, number: int) -> Frame:
    """Frame ``number``, counted from 1; raises FrameError. Decodes the next few as well, while it is at it."""
    if not 1 <= number <= clip.frames:
        raise FrameError(f"The clip has {clip.frames} frames; there is no frame {number}.")
    if (found := _cached(clip, number)) is not None:
        return found
    with _turn(clip.digest):
        return _cached(clip, number) or _decode(clip, number)


def grey_frames(clip: Clip, numbers: Sequence[int]) -> list[npt.NDArray[np.uint8]]:
    """Luma of the numbered frames, each uint8 [H, W], in the order asked for; raises FrameError."""
    import numpy as np

    found: list[npt.NDArray[np.uint8]] = []
    with _said_as_frame_error(clip):
        path = storage.verified(clip.digest)
        for start in range(0, len(numbers), _batch(clip)):
            part = numbers[start : start + _batch(clip)]
            for _, shape, data in pool.decode_grey(path, part):
                found.append(np.frombuffer(data, dtype=np.uint8).reshape(shape))
    return found


def thumbnail(clip: Clip) -> bytes:
    """The middle frame as a small JPEG; raises FrameError."""
    path = _folder(clip) / "thumbnail.jpg"
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    if clip.frames == 0:
        raise FrameError("It holds no image.")
    with _said_as_frame_error(clip):
        data = pool.thumbnail(storage.verified(clip.digest), THUMBNAIL_SIDE)
    _remember(path, data)
    return data


def _batch(clip: Clip) -> int:
    """Frames in one answer of a child: few enough that large ones fit."""
    pixels = max(clip.rows * clip.columns, 1)
    return max(1, min(_GREY_BATCH, 256 * 1024**2 // pixels))


def _turn_for(digest: str) -> _Turn:
    with _turns_lock:
        turn = _turns.get(digest)
        if turn is None:
            turn = _turns[digest] = _Turn()
        return turn


@contextlib.contextmanager
def _turn(digest: str) -> Iterator[None]:
    """One decoder at a time for each clip: the next request finds what the first one cached."""
    turn = _turn_for(digest)
    with turn.lock:
        yield


@contextlib.contextmanager
def _said_as_frame_error(clip: Clip) -> Iterator[None]:
    try:
        yield
    except pool.SandboxError as failure:
        if failure.lasting and not clip.decode_error:
            Clip.objects.filter(pk=clip.pk).update(decode_error=failure.reason)
        raise FrameError(failure.reason, busy=failure.code == pool.TOO_SLOW) from failure
    except storage.Corrupt as error:
        raise FrameError("The stored file has changed on the disk. It is not shown; tell your admin.") from error
    except storage.Missing as error:
        raise FrameError("The stored file is missing. Tell your admin.") from error


def _decode(clip: Clip, number: int) -> Frame:
    """A frame, and what comes next to it; damage there is no reason to withhold this one."""
    ahead = range(number, min(clip.frames, number + AHEAD - 1) + 1)
    with _said_as_frame_error(clip):
        path = storage.verified(clip.digest)
        try:
            return _decode_from(clip, path, ahead)
        except pool.SandboxError as failure:
            if len(ahead) == 1 or failure.code == pool.TOO_SLOW:
                raise
            return _decode_from(clip, path, ahead[:1])


def _decode_from(clip: Clip, path: Path, numbers: range) -> Frame:
    wanted: Frame | None = None
    for got, kind, data in pool.decode_frames(path, numbers, seconds=_AHEAD_SECONDS):
        _remember(_folder(clip) / f"{got}{_KINDS[kind]}", data)
        if got == numbers[0]:
            wanted = Frame(data, kind)
    assert wanted is not None, "a child always answers with the first frame"
    return wanted


def _folder(clip: Clip) -> Path:
    digest = clip.digest
    folder: Path = settings.WORK_FOLDER / "frames" / digest[:2] / digest
    return folder


def _cached(clip: Clip, number: int) -> Frame | None:
    for kind, suffix in _KINDS.items():
        with contextlib.suppress(FileNotFoundError):
            return Frame((_folder(clip) / f"{number}{suffix}").read_bytes(), kind)
    return None


def _remember(path: Path, data: bytes) -> None:
    """Put a picture into the cache, whole or not at all. A cache that cannot be written is only slower."""
    with contextlib.suppress(OSError, storage.DiskFull):
        storage.check_room(len(data))
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
