from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from studies import storage
from tests.studies.stored_bytes import put


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as a store of bytes needs."""

    objects: dict[str, bytes]

    def do_PUT(self) -> None:
        self.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"")

    def do_GET(self) -> None:
        body = self.objects.get(self.path.partition("?")[0])
        self._answer(404 if body is None else 200, body or b"")

    def do_DELETE(self) -> None:
        self.objects.pop(self.path, None)
        self._answer(204, b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"x"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def objects(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    Bucket.objects = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    settings.STORAGE_URL = f"s3://clips/site?endpoint={endpoint}&region=eu-central-1"
    yield Bucket.objects
    server.shutdown()
    server.server_close()


def test_bytes_go_to_the_bucket_under_their_digest(objects: dict[str, bytes]) -> None:
    digest = put(b"hello")
    assert objects == {f"/clips/site/{digest[:2]}/{digest[2:4]}/{digest}": b"hello"}


def test_another_machine_fetches_and_verifies_them(objects: dict[str, bytes]) -> None:
    digest = put(b"hello")
    storage.store().local(digest).unlink()
    assert storage.verified(digest).read_bytes() == b"hello"


def test_bytes_changed_in_the_bucket_are_not_believed(objects: dict[str, bytes]) -> None:
    digest = put(b"hello")
    storage.store().local(digest).unlink()
    objects[next(iter(objects))] = b"jello"
    with pytest.raises(storage.Corrupt):
        storage.verified(digest)


def test_what_is_not_in_the_bucket_is_missing(objects: dict[str, bytes]) -> None:
    with pytest.raises(storage.Missing):
        storage.verified("0" * 64)


def test_an_unknown_kind_of_store_is_refused(settings: Settings) -> None:
    settings.STORAGE_URL = "ftp://host/files"
    with pytest.raises(ValueError, match="file:// or s3://"):
        put(b"hello")


def test_the_quarantine_lies_beside_the_patients_files_and_only_its_own_go(objects: dict[str, bytes]) -> None:
    digest = put(b"hello")
    storage.quarantine().keep([storage.stage(iter([b"hello"]))])
    aside = f"/clips/site/quarantine/{digest[:2]}/{digest[2:4]}/{digest}"
    assert objects[aside] == b"hello"
    storage.quarantine().remove(digest)
    assert objects == {f"/clips/site/{digest[:2]}/{digest[2:4]}/{digest}": b"hello"}
