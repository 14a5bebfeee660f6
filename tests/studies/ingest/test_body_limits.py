from __future__ import annotations

import errno
from typing import Any

import pytest
from pytest_django import Settings

from studies.ingest.body_limits import BodyLimits


async def _exchange(
    path: str, chunks: list[bytes], *, declared: int | None = None, application: Any = None
) -> list[Any]:
    """What is sent back."""
    sent: list[Any] = []
    queue = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]

    async def receive() -> Any:
        return queue.pop(0) if queue else {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    await BodyLimits(application or _reads_all)({"type": "http", "path": path, "headers": headers}, receive, send)
    return sent


async def _reads_all(scope: Any, receive: Any, send: Any) -> None:
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.request":
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def test_an_ordinary_request_passes() -> None:
    assert (await _exchange("/api/v1/upload/", [b"x"]))[0]["status"] == 200


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    async def never(*_: Any) -> None:
        pytest.fail("it was read")

    sent = await _exchange("/dicom-web/studies", [], declared=4 * 1024**3, application=never)
    assert sent[0]["status"] == 413


async def test_a_body_that_turns_out_too_large_is_cut_off(settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    assert (await _exchange("/api/v1/upload/", [b"x" * 60] * 3))[0]["status"] == 413


async def test_other_addresses_take_less(settings: Settings) -> None:
    sent = await _exchange("/api/v1/worklist/", [], declared=100 * 1024**2)
    assert sent[0]["status"] == 413


async def test_a_disk_that_cannot_hold_the_body_is_507() -> None:
    async def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    assert (await _exchange("/api/v1/upload/", [], application=full))[0]["status"] == 507


async def test_another_trouble_is_not_called_a_full_disk() -> None:
    async def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        await _exchange("/api/v1/upload/", [], application=broken)
