from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.ingest import multipart
from studies.ingest.multipart import BadMultipart, Body, TooMuch
from tests.studies.dicoms import form


class Trickle:
    """A stream that gives a few bytes at a time, as networks do."""

    def __init__(self, data: bytes, step: int) -> None:
        self.stream, self.step = io.BytesIO(data), step

    def read(self, size: int, /) -> bytes:
        return self.stream.read(min(size, self.step))


def _read(
    data: bytes, *, step: int = 1 << 16, max_bytes: int = 1 << 20, max_parts: int = 50
) -> list[tuple[str, bytes]]:
    body = Body(Trickle(data, step), b"XYZ", max_bytes=max_bytes, max_parts=max_parts)
    return [(part.filename or "", b"".join(part.body)) for part in body.parts()]


def test_parts_come_with_their_paths() -> None:
    data, _ = form([("a/b/c.dcm", b"one"), ("d.dcm", b"")])
    assert _read(data) == [("a/b/c.dcm", b"one"), ("d.dcm", b"")]


@given(st.lists(st.binary(max_size=300).filter(lambda body: b"--XYZ" not in body), max_size=5), st.integers(1, 50))
def test_the_cut_of_the_stream_does_not_matter(bodies: list[bytes], step: int) -> None:
    data, _ = form([(f"{number}", body) for number, body in enumerate(bodies)])
    assert [body for _, body in _read(data, step=step)] == bodies


@given(st.binary(max_size=60), st.integers(1, 20))
def test_line_ends_and_dashes_in_a_body_are_kept(noise: bytes, step: int) -> None:
    body = b"\r\n--XY-" + noise.replace(b"XYZ", b"") + b"\r\n-"
    data, _ = form([("a", body)])
    assert _read(data, step=step) == [("a", body)]


@given(st.binary(max_size=500), st.integers(1, 50))
def test_rubbish_is_refused_and_never_worse(data: bytes, step: int) -> None:
    with pytest.raises((BadMultipart, TooMuch)):
        _read(data, step=step)


@given(st.integers(0, 200))
def test_a_body_that_ends_early_is_refused(length: int) -> None:
    data, _ = form([("a.dcm", b"x" * 80)])
    with pytest.raises(BadMultipart):
        _read(data[: min(length, len(data) - 6)])


def test_a_body_that_is_left_alone_is_passed_over() -> None:
    data, _ = form([("a", b"one"), ("b", b"two")])
    body = Body(io.BytesIO(data), b"XYZ", max_bytes=1 << 20, max_parts=9)
    assert [part.filename for part in body.parts()] == ["a", "b"]


def test_there_is_a_limit_on_bytes_and_on_parts() -> None:
    data, _ = form([("a", b"x" * 500), ("b", b"y")])
    with pytest.raises(TooMuch):
        _read(data, max_bytes=400)
    with pytest.raises(TooMuch):
        _read(data, max_parts=1)


def test_headers_without_end_are_refused() -> None:
    with pytest.raises(BadMultipart):
        _read(b"--XYZ\r\n" + b"A: b\r\n" * 10000)


@pytest.mark.parametrize("kind", ["multipart/related", "multipart/related; boundary=", "multipart/related; boundary=é"])
def test_a_content_type_without_a_boundary_is_refused(kind: str) -> None:
    with pytest.raises(BadMultipart):
        multipart.boundary_of(multipart.content_type(kind))


def test_names_in_utf8_are_read() -> None:
    data, _ = form([("Säugling/ü.dcm", b"")])
    data = data.replace("Säugling/ü".encode("latin-1", "replace"), "Säugling/ü".encode())
    assert _read(data)[0][0] == "Säugling/ü.dcm"
