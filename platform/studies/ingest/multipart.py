"""Reading multipart bodies part by part as they come, with limits (RFC 2046).

Django's own parser drops the folders of file names and knows only form data; DICOMweb sends ``multipart/related``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Protocol

CHUNK = 256 * 1024
MAX_HEADERS = 16 * 1024
MAX_BOUNDARY = 200


class BadMultipart(Exception):
    """The body does not keep to its format; ``str()`` says how."""


class TooMuch(Exception):
    """More bytes, or more parts, than allowed."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Part:
    """One part; ``body`` must be used up, or left alone, before the next part is asked for."""

    headers: Message
    body: Iterator[bytes]

    @property
    def name(self) -> str:
        return str(self.headers.get_param("name", "", header="content-disposition"))

    @property
    def filename(self) -> str | None:
        """The path that the sender gives, a label and nothing else."""
        name = self.headers.get_filename()
        return None if name is None else _as_utf8(name)


def _as_utf8(text: str) -> str:
    """Browsers send file names as UTF-8, header fields are read as Latin-1."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def content_type(value: str) -> Message:
    """A Content-Type value, taken apart."""
    message = Message()
    message["content-type"] = re.sub(r"[\r\n]", " ", value)
    return message


def boundary_of(kind: Message) -> bytes:
    """The delimiter that a content type names; raises BadMultipart."""
    boundary = kind.get_param("boundary")
    if not isinstance(boundary, str) or not 1 <= len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise BadMultipart("the content type names no boundary")
    return boundary.encode()


class Body:
    """A multipart body over a stream; iterate over ``parts()``."""

    def __init__(self, stream: Readable, boundary: bytes, *, max_bytes: int, max_parts: int) -> None:
        self._stream = stream
        self._delimiter = b"\r\n--" + boundary
        self._buffer = b"\r\n"
        self._ended = False
        self._left = max_bytes
        self._max_parts = max_parts

    def parts(self) -> Iterator[Part]:
        for _ in self._until_delimiter():
            pass
        count = 0
        while self._part_follows():
            count += 1
            if count > self._max_parts:
                raise TooMuch
            body = self._until_delimiter()
            yield Part(self._headers(), body)
            for _ in body:
                pass

    def _fill(self) -> bool:
        """More of the stream into the buffer; False at its end."""
        chunk = b"" if self._ended else self._stream.read(CHUNK)
        self._ended = self._ended or not chunk
        self._left -= len(chunk)
        if self._left < 0:
            raise TooMuch
        self._buffer += chunk
        return bool(chunk)

    def _until_delimiter(self) -> Iterator[bytes]:
        """What lies before the next delimiter, which is taken off as well."""
        keep = len(self._delimiter) - 1
        while (at := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > keep:
                done, self._buffer = self._buffer[:-keep], self._buffer[-keep:]
                yield done
            if not self._fill():
                raise BadMultipart("the body ends before its last boundary")
        done, self._buffer = self._buffer[:at], self._buffer[at + len(self._delimiter) :]
        if done:
            yield done

    def _part_follows(self) -> bool:
        """After a delimiter: whether another part follows; ``--`` is the end."""
        while len(self._buffer) < 2 and self._fill():
            pass
        if self._buffer[:2] == b"--":
            return False
        line, _, rest = self._line_end()
        if line.strip(b" \t"):
            raise BadMultipart("a boundary is followed by other text")
        self._buffer = rest
        return True

    def _line_end(self) -> tuple[bytes, bytes, bytes]:
        while b"\r\n" not in self._buffer and len(self._buffer) < MAX_HEADERS and self._fill():
            pass
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            raise BadMultipart("the body ends after a boundary")
        return line, end, rest

    def _headers(self) -> Message:
        message = Message()
        for line in self._unfolded_lines():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BadMultipart("a part's header is malformed")
            message[name.strip()] = value.strip()
        # A body may be empty, and its delimiter then starts with the line end that closed the headers.
        self._buffer = b"\r\n" + self._buffer if self._buffer.startswith(self._delimiter[2:]) else self._buffer
        return message

    def _unfolded_lines(self) -> list[bytes]:
        """A line that begins with white space goes on with the one before (RFC 5322, 2.2.3)."""
        lines: list[bytes] = []
        size = 0
        while line := self._next_line():
            size += len(line)
            if size > MAX_HEADERS:
                raise BadMultipart("a part's header is malformed")
            if line[:1] in (b" ", b"\t") and lines:
                lines[-1] += b" " + line.strip()
            else:
                lines.append(line)
        return lines

    def _next_line(self) -> bytes:
        line, _, self._buffer = self._line_end()
        while len(self._buffer) < len(self._delimiter) and self._fill():
            pass
        return line
