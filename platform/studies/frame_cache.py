"""Frames of clips: for screens from a cache that the first request fills, for the model in grey."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

from django.conf import settings

from common.atomic_file import replacing
from studies import decoding, storage
from studies.disclosure import Window
from studies.models import Clip
from studies.sandbox import pool

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

THUMBNAIL_SIDE = 256
AHEAD = 32
_AHEAD_SECONDS = 0.1
_GREY_BATCH = 64
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True)
class Frame:
    """An encoded 8-bit picture; ``source`` is ``passthrough`` when these are the device's own bytes."""

    data: bytes
    content_type: str

    @property
    def source(self) -> Literal["passthrough", "png"]:
        return "passthrough" if self.content_type == "image/jpeg" else "png"


class FrameError(Exception):
    """The pixels cannot be shown; ``reason`` is for a person. ``busy``: the machine was slow, the file may be good."""

    def __init__(self, reason: str, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.busy = busy


class _ClipLock:
    """A lock that is forgotten when nobody holds it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_locks: WeakValueDictionary[str, _ClipLock] = WeakValueDictionary()
_locks_guard = threading.Lock()


def frame_bytes(clip: Clip, number: int) -> Frame:
    """Frame ``number``, counted from 1; raises FrameError. Decodes the next few as well, while it is at it."""
    if not 1 <= number <= clip.frames:
        raise FrameError(f"The clip has {clip.frames} frames; there is no frame {number}.")
    if (cached := _cached(clip, number)) is not None:
        _refuse_changed(clip)
        return cached
    with _decoding(clip.digest):
        return _cached(clip, number) or _decode(clip, number)


def masked_frame(clip: Clip, number: int, windows: Sequence[Window]) -> Frame:
    """The same, black outside the windows: always a PNG, and from a cache of its own."""
    if not 1 <= number <= clip.frames:
        raise FrameError(f"The clip has {clip.frames} frames; there is no frame {number}.")
    folder = _masked_folder(clip, windows)
    if (cached := _cached_in(folder, number)) is not None:
        _refuse_changed(clip)
        return cached
    with _decoding(clip.digest):
        return _cached_in(folder, number) or _decode_masked(clip, number, windows)


def _decode_masked(clip: Clip, number: int, windows: Sequence[Window]) -> Frame:
    """A frame, and a few that come next; damage there is no reason to withhold this one."""
    ahead = range(number, min(clip.frames, number + AHEAD - 1) + 1)
    with _as_frame_error(clip):
        path = storage.verified(clip.digest)
        try:
            frames = list(pool.decode_masked(path, ahead, windows, seconds=_AHEAD_SECONDS))
        except pool.SandboxError as failure:
            if len(ahead) == 1 or failure.code == pool.TOO_SLOW:
                raise
            frames = list(pool.decode_masked(path, ahead[:1], windows))
    for frame in frames:
        _store(_masked_folder(clip, windows) / f"{frame.number}{_SUFFIXES[frame.content_type]}", frame.data)
    return Frame(frames[0].data, frames[0].content_type)


def masked_thumbnail(clip: Clip, windows: Sequence[Window]) -> bytes:
    """The middle frame as a small JPEG, black outside the windows; raises FrameError."""
    path = _masked_folder(clip, windows) / "thumbnail.jpg"
    if not clip.has_frames:
        raise FrameError("It holds no image.")
    _refuse_changed(clip)
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    with _as_frame_error(clip):
        data = pool.masked_thumbnail(storage.verified(clip.digest), THUMBNAIL_SIDE, windows)
    _store(path, data)
    return data


def grey_frames(clip: Clip, numbers: Sequence[int]) -> list[npt.NDArray[np.uint8]]:
    """Luma of the numbered frames, each uint8 [H, W], in the order asked for; raises FrameError."""
    import numpy as np

    frames: list[npt.NDArray[np.uint8]] = []
    with _as_frame_error(clip):
        path = storage.verified(clip.digest)
        for start in range(0, len(numbers), _batch(clip)):
            part = numbers[start : start + _batch(clip)]
            for _, shape, data in pool.decode_grey(path, part):
                frames.append(np.frombuffer(data, dtype=np.uint8).reshape(shape))
    return frames


def look_for_flow(clip: Clip, numbers: Sequence[int]) -> None:
    """Look for colour Doppler in the numbered frames, and keep with the clip what they show.

    A frame that cannot be decoded counts as grey: whoever decodes it next says why it cannot be.
    """
    found: dict[int, bool] = {}
    for start in range(0, len(numbers), _batch(clip)):
        part = numbers[start : start + _batch(clip)]
        with contextlib.suppress(pool.SandboxError, storage.Corrupt, storage.Missing):
            found |= pool.frames_with_flow(storage.verified(clip.digest), part)
    looked = sorted({*clip.looked_frames, *numbers})
    shown = sorted({*clip.flow_frames, *(number for number, flow in found.items() if flow)})
    if numbers:
        clip.flow = {"looked": looked, "shown": shown}
        Clip.objects.filter(pk=clip.pk).update(flow=clip.flow)


def thumbnail(clip: Clip) -> bytes:
    """The middle frame as a small JPEG; raises FrameError."""
    path = _folder(clip) / "thumbnail.jpg"
    if not clip.has_frames:
        raise FrameError("It holds no image.")
    _refuse_changed(clip)
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    with _as_frame_error(clip):
        data = pool.thumbnail(storage.verified(clip.digest), THUMBNAIL_SIDE)
    _store(path, data)
    if clip.may_show_flow and not clip.looked_frames:
        # Where no model looks, the middle of each clip is looked at all the same.
        look_for_flow(clip, [(clip.frames + 1) // 2])
    return data


def _refuse_changed(clip: Clip) -> None:
    """A picture of a file whose bytes have changed since is not shown either; raises FrameError."""
    with _as_frame_error(clip), contextlib.suppress(storage.Missing):
        storage.verified(clip.digest)


def _batch(clip: Clip) -> int:
    """Frames in one answer of the sandbox: few enough that large ones fit."""
    pixels = max(clip.rows * clip.columns, 1)
    return max(1, min(_GREY_BATCH, 256 * 1024**2 // pixels))


def _lock_for(digest: str) -> _ClipLock:
    with _locks_guard:
        lock = _locks.get(digest)
        if lock is None:
            lock = _locks[digest] = _ClipLock()
        return lock


@contextlib.contextmanager
def _decoding(digest: str) -> Iterator[None]:
    """One decoder at a time for each clip: the next request finds what the first one cached."""
    clip_lock = _lock_for(digest)
    with clip_lock.lock:
        yield


@contextlib.contextmanager
def _as_frame_error(clip: Clip) -> Iterator[None]:
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
    with _as_frame_error(clip):
        path = storage.verified(clip.digest)
        try:
            return _decode_from(clip, path, ahead)
        except pool.SandboxError as failure:
            if len(ahead) == 1 or failure.code == pool.TOO_SLOW:
                raise
            return _decode_from(clip, path, ahead[:1])


def _decode_from(clip: Clip, path: Path, numbers: range) -> Frame:
    """The first of ``numbers``; it and the others that there was time for are in the cache afterwards."""
    first: Frame | None = None
    for frame in pool.decode_frames(path, numbers, seconds=_AHEAD_SECONDS):
        _store(_folder(clip) / f"{frame.number}{_SUFFIXES[frame.content_type]}", frame.data)
        if frame.number == numbers[0]:
            first = Frame(frame.data, frame.content_type)
    assert first is not None, "the sandbox always answers with the first frame"
    return first


def _folder(clip: Clip) -> Path:
    digest = clip.digest
    folder: Path = settings.WORK_FOLDER / "frames" / str(decoding.VERSION) / digest[:2] / digest
    return folder


def _masked_folder(clip: Clip, windows: Sequence[Window]) -> Path:
    """One for each set of windows: regions that are read again may be others."""
    named = hashlib.sha256(repr([tuple(window) for window in windows]).encode()).hexdigest()[:16]
    return _folder(clip) / f"masked-{named}"


def _cached(clip: Clip, number: int) -> Frame | None:
    return _cached_in(_folder(clip), number)


def _cached_in(folder: Path, number: int) -> Frame | None:
    for content_type, suffix in _SUFFIXES.items():
        with contextlib.suppress(FileNotFoundError):
            return Frame((folder / f"{number}{suffix}").read_bytes(), content_type)
    return None


def _store(path: Path, data: bytes) -> None:
    """Put a picture into the cache, whole or not at all. A cache that cannot be written is only slower."""
    with contextlib.suppress(OSError, storage.DiskFull):
        storage.check_room(len(data))
        with replacing(path, private=True) as file:
            file.write(data)
