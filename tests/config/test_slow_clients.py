"""Which connections are closed for being slow, and which are not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from pytest_django import Settings
from websockets.sync.client import connect

from config.slow_clients import ImpatientProtocol
from jobs.management.commands import serve

ROOT = Path(__file__).resolve().parents[2]
IDLE, LONGEST = 0.4, 1.6
LATE = 5.0


async def _application(scope: Any, receive: Any, send: Any) -> None:
    """Answers how many bytes came, after the seconds that the address names."""
    import asyncio

    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await asyncio.sleep(float(scope["path"][1:] or 0))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"%02d" % size})


@pytest.fixture
def port(settings: Settings) -> Iterator[int]:
    settings.REQUEST_IDLE_SECONDS, settings.REQUEST_MAX_SECONDS = IDLE, LONGEST
    config = uvicorn.Config(_application, port=0, http=ImpatientProtocol, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def _open(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=LATE)


def _drip(client: socket.socket, data: bytes, *, every: float) -> None:
    """Byte by byte, until the other side has closed."""
    with suppress(OSError):
        for letter in data:
            client.sendall(bytes([letter]))
            time.sleep(every)


def _rest(client: socket.socket) -> bytes:
    """Everything until the other side closes."""
    parts = []
    while part := client.recv(4096):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("sent", [b"", b"GET /", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"])
def test_a_request_that_stops_is_answered_408_and_closed(port: int, sent: bytes) -> None:
    with closing(_open(port)) as client:
        client.sendall(sent)
        began = time.monotonic()
        answer = _rest(client)
    assert IDLE * 0.9 < time.monotonic() - began < LATE
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
    assert b'"code": "too_slow"' in answer


def test_a_request_that_drips_ends_after_the_longest_time(port: int) -> None:
    began = time.monotonic()
    with closing(_open(port)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n")
        _drip(client, b"x" * 99, every=IDLE / 4)
    assert LONGEST * 0.9 < time.monotonic() - began < LATE


def test_a_slow_request_that_goes_on_is_served(port: int) -> None:
    with closing(_open(port)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n")
        for letter in (b"a", b"b", b"c"):
            time.sleep(IDLE * 0.6)
            client.sendall(letter)
        assert _rest(client).endswith(b"\r\n\r\n03")


def test_an_answer_may_take_longer_than_a_client(port: int) -> None:
    with closing(_open(port)) as client:
        client.sendall(f"GET /{2 * LONGEST} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert _rest(client).startswith(b"HTTP/1.1 200")


def test_a_second_request_on_a_connection_has_its_own_time(port: int) -> None:
    with closing(_open(port)) as client:
        for _ in range(3):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(LONGEST / 2)
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET / HT")
        assert _rest(client).startswith(b"HTTP/1.1 408")


def test_a_request_that_was_sent_ahead_and_stops_is_closed(port: int) -> None:
    with closing(_open(port)) as client:
        whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        client.sendall(whole + b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        answers = _rest(client)
    assert [answers.count(b"HTTP/1.1 200"), answers.count(b"HTTP/1.1 408")] == [1, 1]


def test_a_websocket_that_says_nothing_stays(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/") as socket_:
        time.sleep(2 * LONGEST)
        socket_.send("still here")
        assert socket_.recv(timeout=LATE) == "still here"


def test_every_way_to_serve_is_impatient() -> None:
    option = "config.slow_clients:ImpatientProtocol"
    assert option in serve._children("127.0.0.1", 1)[0].command
    assert f'"--http", "{option}"' in (ROOT / "Dockerfile").read_text()
