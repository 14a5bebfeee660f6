"""Frames, from their places in the file where those are known, else from the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rest_framework import exceptions

from studies.dicom.facts import Places
from studies.dicomweb.bodies import Body, Pieces
from studies.dicomweb.forms import Form, is_native
from studies.dicomweb.resources import CannotGive, places_of, refusal
from studies.models import Clip
from studies.sandbox import pool

MOST = 2000
_AT_ONCE_BYTES = 64 * 1024**2


def numbered(text: str, clip: Clip) -> list[int]:
    """``1,4,2`` as numbers of frames; raises NotFound for one that the clip has not, ParseError for nonsense."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise exceptions.ParseError("Frames are numbers from 1 with commas between them.")
    numbers = [int(part) for part in parts]
    if len(numbers) > MOST:
        raise exceptions.ParseError(f"At most {MOST} frames come at once.")
    if not all(1 <= number <= clip.frames for number in numbers):
        raise exceptions.NotFound(f"The clip has {clip.frames} frames.", code="no_such_frame")
    return numbers


def bodies(clip: Clip, path: Path, numbers: Sequence[int], form: Form) -> list[Body]:
    """One for each frame. Those that must be decoded come a few at a time; raises what says that none can be."""
    places = places_of(clip)
    if places is not None and (form.stored or is_native(clip.transfer_syntax)):
        return [_piece(path, places, number) for number in numbers]
    return _decoded(clip, path, numbers, form)


def _piece(path: Path, places: Places, number: int) -> Pieces:
    if number > places["frames"]:
        raise CannotGive("The file ends before this frame does.")
    if places["parts"] is None:
        return Pieces(path, [(places["start"] + (number - 1) * places["length"], places["length"])])
    flat = places["parts"][number - 1]
    return Pieces(path, list(zip(flat[::2], flat[1::2], strict=True)))


def _decoded(clip: Clip, path: Path, numbers: Sequence[int], form: Form) -> list[Body]:
    """The first few at once, so that a clip that cannot be decoded is an answer that says so."""
    frame_bytes = max(1, clip.rows * clip.columns * clip.samples * (2 if clip.bits_stored > 8 else 1))
    most = max(1, _AT_ONCE_BYTES // frame_bytes)
    try:
        first: list[Body] = [*_asked(path, numbers[:most], form)]
    except pool.SandboxError as failure:
        raise refusal(failure) from failure
    return first + [_Later(path, number, form) for number in numbers[most:]]


def _asked(path: Path, numbers: Sequence[int], form: Form) -> list[bytes]:
    return pool.encoded_frames(path, numbers) if form.stored else pool.native_frames(path, numbers)


class _Later:
    """A frame that is decoded when it is sent."""

    def __init__(self, path: Path, number: int, form: Form) -> None:
        self.path, self.number, self.form = path, number, form

    def __call__(self) -> bytes:
        return _asked(self.path, [self.number], self.form)[0]
