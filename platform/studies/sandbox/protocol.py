"""Messages between the pool and a sandbox worker: JSON and raw bytes. No pickle, which would let it run code in us."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct(">I")
MAX_HEAD = 16 * 1024**2
MAX_BLOBS = 768 * 1024**2

Message = tuple[dict[str, Any], list[bytes]]


class Closed(Exception):
    """The other side hung up."""


class TooSlow(Exception):
    """The other side did not answer in time."""


class Garbled(Exception):
    """The other side sent something that is no message."""


def send(channel: socket.socket, head: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Send one message; raises OSError when the other side is gone."""
    text = json.dumps({**head, "blobs": [len(blob) for blob in blobs]}).encode()
    channel.sendall(_LENGTH.pack(len(text)) + text)
    for blob in blobs:
        channel.sendall(blob)


def receive(channel: socket.socket, *, deadline: float | None = None) -> Message:
    """Read one message before ``deadline`` (``time.monotonic``); raises Closed, TooSlow or Garbled."""
    (length,) = _LENGTH.unpack(_read(channel, _LENGTH.size, deadline))
    if length > MAX_HEAD:
        raise Garbled
    try:
        head = json.loads(_read(channel, length, deadline))
        sizes = [int(size) for size in head.pop("blobs")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Garbled from error
    if sum(sizes) > MAX_BLOBS or any(size < 0 for size in sizes):
        raise Garbled
    return head, [bytes(_read(channel, size, deadline)) for size in sizes]


def _read(channel: socket.socket, size: int, deadline: float | None) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        channel.settimeout(_seconds_left(deadline))
        try:
            count = channel.recv_into(view)
        except TimeoutError as error:
            raise TooSlow from error
        except ConnectionError as error:
            raise Closed from error
        if count == 0:
            raise Closed
        view = view[count:]
    return data


def _seconds_left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TooSlow
    return left
