"""Clients that stop in the middle: let go, nothing of them stored, others served meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.studies.dicoms import clip, related
from tests.studies.site import Site

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
IDLE = 2.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    limits = {"FONTANELLE_REQUEST_IDLE_SECONDS": str(IDLE), "FONTANELLE_REQUEST_MAX_SECONDS": "8"}
    made = Site(tmp_path_factory.mktemp("slow"), limits)
    made.prepare()
    made.start()
    yield made
    made.kill()


def _half_of_a_study(site: Site) -> bytes:
    """A whole image and the beginning of a second one."""
    body, kind = related([clip(), clip()])
    head = f"POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {site.token}\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body[: -len(body) // 4]


def _answer(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(4096):
        parts.append(part)
    return b"".join(parts)


def test_nothing_is_stored_of_half_a_request(site: Site) -> None:
    before = site.indexed()
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as client:
        client.sendall(_half_of_a_study(site))
        assert _answer(client).startswith(b"HTTP/1.1 408")
    assert site.indexed() == before
    assert site.whole() == set(before.values())
    assert list((site.folder / "work").rglob("staging/*")) == []


def test_others_are_served_while_many_hang(site: Site) -> None:
    half = _half_of_a_study(site)
    with ExitStack() as hanging:
        clients = [
            hanging.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=60)) for _ in range(40)
        ]
        for number, client in enumerate(clients):
            client.sendall(half if number % 2 else half[:40])
        status, _ = site.store([clip()])
        assert status == 200
        assert all(_answer(client).startswith(b"HTTP/1.1 408") for client in clients)


def test_a_request_that_never_ends_is_cut_after_the_longest_time(site: Site) -> None:
    began = time.monotonic()
    half = _half_of_a_study(site)
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as client:
        client.sendall(half[:-100])
        with suppress(OSError):
            for letter in half[-100:]:
                client.sendall(bytes([letter]))
                time.sleep(IDLE / 4)
    assert 7 < time.monotonic() - began < 40
