from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from accounts.models import User
from studies.ingest import archive as ingest_archive
from studies.models import Clip, QuarantinedFile, Receipt
from tests.studies.dicoms import clip, form

UPLOAD = "/api/v1/upload/"


def _send(client: Client, files: Sequence[tuple[str, bytes]], *, paths: Sequence[str] = (), **extra: Any) -> Any:
    body, kind = form(files, paths=paths)
    return client.post(UPLOAD, body, content_type=kind, **extra)


def _zip(files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, data)
    return out.getvalue()


def _left_over(settings: Settings) -> list[Path]:
    return list((settings.WORK_FOLDER / "staging").iterdir())


def test_files_are_taken_in_and_answered_one_by_one(reader: Client, settings: Settings) -> None:
    answer = _send(reader, [("a/b.dcm", clip()), ("x.txt", b"rubbish")])
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert (first["path"], first["outcome"]) == ("a/b.dcm", "stored")
    number = QuarantinedFile.objects.get().pk
    said = f"This is not a DICOM file. It is kept in quarantine (no. {number})."
    assert second == {"path": "x.txt", "outcome": "refused", "reason": said, "study_uid": ""}
    assert _left_over(settings) == []


def test_paths_beside_the_files_name_them(reader: Client) -> None:
    answer = _send(reader, [("b.dcm", clip()), ("c.zip", _zip({"in.dcm": clip()}))], paths=["a/b.dcm", "a/c.zip"])
    assert [result["path"] for result in answer.json()["results"]] == ["a/b.dcm", "a/c.zip/in.dcm"]


def test_receipts_say_who_sent_it_and_how(reader: Client, radiologist: User) -> None:
    _send(reader, [("a.dcm", clip())])
    assert (Receipt.objects.get().source, Receipt.objects.get().sent_by) == ("upload", radiologist)


def test_an_archive_is_unpacked(reader: Client) -> None:
    answer = _send(reader, [("study.zip", _zip({"1.dcm": clip(), "deep/2.dcm": clip(), "__MACOSX/._1": b"x"}))])
    assert [result["outcome"] for result in answer.json()["results"]] == ["stored", "stored"]


@pytest.mark.parametrize("name", ["../../../etc/x.dcm", "/abs/x.dcm", "..\\..\\x.dcm", "C:\\x.dcm"])
def test_a_name_in_an_archive_leads_nowhere(reader: Client, settings: Settings, name: str) -> None:
    assert _send(reader, [("a.zip", _zip({name: clip()}))]).json()["results"][0]["outcome"] == "stored"
    root = Path(settings.STORAGE_URL.removeprefix("file://"))
    assert [path.name for path in root.rglob("*") if path.is_file()] == [Clip.objects.get().digest]


def _link(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def test_a_link_in_an_archive_is_refused(reader: Client) -> None:
    answer = _send(reader, [("a.zip", _zip({"l": b"/etc/passwd"}, _link))])
    assert answer.json()["results"][0]["reason"].startswith("It is a link, not a file. A record of it")


def test_a_bomb_is_not_opened(reader: Client, settings: Settings) -> None:
    answer = _send(reader, [("a.zip", _zip({"zeros": bytes(80 * 1024**2)}))])
    assert "times its size" in answer.json()["results"][0]["reason"]
    assert _left_over(settings) == []


def test_too_many_entries_are_refused_before_they_are_listed(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_archive, "MAX_ENTRIES", 3)
    answer = _send(reader, [("a.zip", _zip({str(number): b"" for number in range(4)}))])
    assert "more than 3 files" in answer.json()["results"][0]["reason"]


def test_an_entry_larger_than_it_says_is_stopped(reader: Client) -> None:
    data = _zip({"a": b"x" * 1000}).replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert _send(reader, [("a.zip", data)]).json()["results"][0]["outcome"] == "refused"


@pytest.mark.parametrize("cut", [10, 60, -5])
def test_a_damaged_archive_is_one_refusal(reader: Client, cut: int) -> None:
    (result,) = _send(reader, [("a.zip", _zip({"a.dcm": clip()})[:cut])]).json()["results"]
    assert (result["outcome"], result["path"]) == ("refused", "a.zip")


def test_an_archive_in_an_archive_is_refused(reader: Client) -> None:
    (result,) = _send(reader, [("a.zip", _zip({"b.zip": _zip({"c.dcm": clip()})}))]).json()["results"]
    assert (result["outcome"], result["path"]) == ("refused", "a.zip/b.zip")


def test_a_full_disk_is_507_and_nothing_is_half_stored(reader: Client, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    answer = _send(reader, [("a.dcm", clip())])
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert Clip.objects.count() == Receipt.objects.count() == 0
    assert not any(Path(settings.STORAGE_URL.removeprefix("file://")).iterdir())


def test_a_disk_that_fills_up_on_the_way_is_507_too(
    reader: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studies import storage

    real, calls = storage.stage, []

    def fills_up(*args: Any, **named: Any) -> storage.StagedFile:
        calls.append(1)
        if len(calls) == 3:
            raise storage.DiskFull
        return real(*args, **named)

    monkeypatch.setattr(storage, "stage", fills_up)
    answer = _send(reader, [(f"{number}.dcm", clip()) for number in range(4)])
    assert answer.status_code == 507
    assert Clip.objects.count() == 0
    assert _left_over(settings) == []


def test_a_request_that_says_it_is_too_large_is_413(reader: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    assert _send(reader, [("a.dcm", clip())]).status_code == 413


def test_too_many_files_are_413(reader: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    answer = _send(reader, [(f"{number}.dcm", b"x") for number in range(3)])
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_request_that_breaks_off_stores_nothing(reader: Client, settings: Settings) -> None:
    body, kind = form([("a.dcm", clip()), ("b.dcm", clip())])
    assert reader.post(UPLOAD, body[:-200], content_type=kind).status_code == 400
    assert Clip.objects.count() == 0
    assert _left_over(settings) == []


@pytest.mark.parametrize(("kind", "status"), [("application/json", 415), ("multipart/form-data", 400), ("", 415)])
def test_what_is_no_form_is_refused(reader: Client, kind: str, status: int) -> None:
    assert reader.post(UPLOAD, b"{}", content_type=kind).status_code == status


def test_a_form_without_files_is_400(reader: Client) -> None:
    assert _send(reader, []).status_code == 400


def test_annotators_and_strangers_send_nothing(annotator: User, db: None) -> None:
    client = Client()
    assert _send(client, [("a.dcm", clip())]).status_code == 401
    client.force_login(annotator)
    assert _send(client, [("a.dcm", clip())]).status_code == 403
    assert Receipt.objects.count() == 0


def test_a_token_will_do(radiologist: User) -> None:
    token = Token.objects.create(user=radiologist)
    answer = _send(Client(), [("a.dcm", clip())], HTTP_AUTHORIZATION=f"Token {token.key}")
    assert answer.json()["results"][0]["outcome"] == "stored"


def test_a_session_needs_the_csrf_header(radiologist: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(radiologist)
    assert _send(client, [("a.dcm", clip())]).status_code == 403
    client.get("/upload/")
    client.cookies["csrftoken"] = "a" * 32
    assert _send(client, [("a.dcm", clip())], HTTP_X_CSRFTOKEN="a" * 32).status_code == 200
