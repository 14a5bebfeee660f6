"""Bodies of answers, sent piece by piece: whole files, places in them, and what is made when its turn comes.

Under ASGI Django collects what a plain iterator gives before it sends any of it, so that these are asynchronous.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

CHUNK = 256 * 1024
NOTICE_HEADER, NOTICE = "X-Fontanelle-Notice", "Research use only"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Pieces:
    """Places in a file, (first byte, length), one after another."""

    path: Path
    places: Sequence[tuple[int, int]]

    @property
    def size(self) -> int:
        return sum(length for _, length in self.places)

    def between(self, start: int, length: int) -> Pieces:
        """``length`` bytes from ``start``, of a file that is given out whole."""
        first, _ = self.places[0]
        return Pieces(self.path, [(first + start, length)])


@dataclass(frozen=True)
class Joined:
    """Several bodies as one."""

    bodies: Sequence[Body]


Made = Callable[[], bytes]
Body = Pieces | bytes | Made | Joined
"""What is made comes from a function that is called when it is sent."""


@dataclass(frozen=True)
class Part:
    kind: str
    body: Body
    location: str = ""

    @property
    def size(self) -> int | None:
        """None where it is not known before it is made."""
        if isinstance(self.body, bytes):
            return len(self.body)
        return self.body.size if isinstance(self.body, Pieces) else None


Later = Callable[[], Part]
"""A part that is made when its turn comes."""


def whole_file(path: Path) -> Pieces:
    return Pieces(path, [(0, path.stat().st_size)])


def multipart(parts: Sequence[Part | Later], kind: str, *, status: int = 200) -> HttpResponseBase:
    """``multipart/related``; ``kind``: the type of its parts, without parameters."""
    boundary = uuid.uuid4().hex
    response = StreamingHttpResponse(
        _parts_sent(parts, boundary),
        content_type=f'multipart/related; type="{kind}"; boundary={boundary}',
        status=status,
    )
    sizes = [None if callable(part) else _whole_size(part, boundary) for part in parts]
    if None not in sizes:
        response["Content-Length"] = sum(size or 0 for size in sizes) + len(_tail(boundary))
    return _noted(response)


def _whole_size(part: Part, boundary: str) -> int | None:
    return None if part.size is None else len(_head(part, boundary)) + part.size


def _tail(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


def _head(part: Part, boundary: str) -> bytes:
    lines = [f"\r\n--{boundary}", f"Content-Type: {part.kind}"]
    if part.location:
        lines.append(f"Content-Location: {part.location}")
    if part.size is not None:
        lines.append(f"Content-Length: {part.size}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _parts_sent(parts: Sequence[Part | Later], boundary: str) -> AsyncIterator[bytes]:
    for each in parts:
        part = await sync_to_async(each, thread_sensitive=False)() if callable(each) else each
        yield _head(part, boundary)
        async for chunk in _sent(part.body):
            yield chunk
    yield _tail(boundary)


async def _sent(body: Body) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        yield body
    elif isinstance(body, Pieces):
        async for chunk in _pieces_sent(body):
            yield chunk
    elif isinstance(body, Joined):
        for each in body.bodies:
            async for chunk in _sent(each):
                yield chunk
    else:
        yield await sync_to_async(body, thread_sensitive=False)()


async def _pieces_sent(pieces: Pieces) -> AsyncIterator[bytes]:
    file: BinaryIO = await sync_to_async(_opened, thread_sensitive=False)(pieces.path)
    read = sync_to_async(_read, thread_sensitive=False)
    try:
        for start, length in pieces.places:
            for at in range(start, start + length, CHUNK):
                yield await read(file, at, min(CHUNK, start + length - at))
    finally:
        file.close()


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def single(part: Part, *, asked_range: str = "", etag: str = "") -> HttpResponseBase:
    """One body alone; a part of it where ``asked_range`` (RFC 9110, 14.2) names one that can be had."""
    size = part.size
    span = _span(asked_range, size) if size is not None else None
    response = _partial(part, span, size) if span is not None and size is not None else _whole(part)
    if size is not None:
        response["Accept-Ranges"] = "bytes"
    if etag:
        response["ETag"] = etag
    return _noted(response)


def _whole(part: Part) -> HttpResponseBase:
    if isinstance(part.body, bytes):
        return HttpResponse(part.body, content_type=part.kind)
    response = StreamingHttpResponse(_sent(part.body), content_type=part.kind)
    if part.size is not None:
        response["Content-Length"] = part.size
    return response


def _partial(part: Part, span: tuple[int, int], size: int) -> HttpResponseBase:
    """206, or 416 where nothing lies there."""
    start, end = span
    if start >= size or end < start:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    body = part.body
    cut: Body = body[start : end + 1] if isinstance(body, bytes) else _cut(body, start, end + 1 - start)
    response = _whole(Part(part.kind, cut))
    response.status_code = 206
    response["Content-Range"] = f"bytes {start}-{end}/{size}"
    return response


def _cut(body: Body, start: int, length: int) -> Pieces:
    assert isinstance(body, Pieces), "what is made when it is sent has no ranges"
    return body.between(start, length)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """(first, last) byte; None where the header is to be ignored: several ranges, other units, nonsense."""
    match = _RANGE.fullmatch(asked.replace(" ", ""))
    if match is None or match[1] + match[2] == "" or len(match[1] + match[2]) > 30:
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    return int(match[1]), min(int(match[2]), size - 1) if match[2] else size - 1


def not_modified(etag: str) -> HttpResponse:
    return HttpResponse(status=304, headers={"ETag": etag})


def _noted(response: HttpResponseBase) -> HttpResponseBase:
    response[NOTICE_HEADER] = NOTICE
    return response
