"""Whom the site answers, over what, and the pages for those whom it does not answer."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.roles import Role
from common.private_files import private_database, private_folder
from studies import storage
from tests.accounts.people import client_of, person

LOGIN = "/accounts/login/"


@pytest.fixture
def ours(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["fontanelle.example"]


@pytest.mark.parametrize("host", ["evil.example", "fontanelle.example.evil", "a b", "[::", "fontanelle.example:x"])
@pytest.mark.usefixtures("ours")
def test_an_unknown_host_is_a_plain_page(host: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        answer = Client(raise_request_exception=False).get(LOGIN, HTTP_HOST=host)
    assert (answer.status_code, b"does not answer to that name" in answer.content) == (400, True)
    assert [record.exc_info for record in caplog.records if "host" in record.getMessage()] == [None]


@pytest.mark.usefixtures("ours")
def test_a_program_is_told_of_an_unknown_host_in_its_shape() -> None:
    answer = Client(raise_request_exception=False).get("/api/v1/worklist/", HTTP_HOST="evil.example")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")


@pytest.mark.django_db
@pytest.mark.usefixtures("ours")
def test_a_host_of_ours_is_answered() -> None:
    assert Client().get(LOGIN, HTTP_HOST="fontanelle.example").status_code == 200


@pytest.fixture
def production(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("url", [LOGIN, "/", "/api/v1/worklist/", "/dicom-web/studies", "/admin/"])
def test_plain_http_is_sent_on_and_not_served(url: str) -> None:
    answer = Client().get(url)
    assert (answer.status_code, answer["Location"], answer.content) == (301, f"https://testserver{url}", b"")


@pytest.mark.django_db
@pytest.mark.usefixtures("production")
def test_over_tls_the_browser_is_told_to_stay_there() -> None:
    answer = Client().get(LOGIN, headers={"X-Forwarded-Proto": "https"})
    assert (answer.status_code, answer["Strict-Transport-Security"]) == (200, "max-age=31536000")


@pytest.mark.django_db
@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("url", ["/healthz", "/readyz"])
def test_probes_are_answered_over_plain_http(url: str) -> None:
    assert Client().get(url).status_code == 200


def test_production_serves_no_plain_http(settings: Settings) -> None:
    from config import settings as plain

    text = Path(plain.__file__).read_text()
    assert 'SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)' in text


@pytest.mark.django_db
def test_the_schema_takes_a_sign_in() -> None:
    assert (Client().get("/api/schema/").status_code, client_of(person()).get("/api/schema/").status_code) == (401, 200)


@pytest.mark.django_db
def test_a_page_that_was_too_old_says_what_was_kept_and_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(LOGIN, {"username": "a", "password": "b"})
    text = answer.content.decode()
    assert (answer.status_code, "drafts too" in text, "Open the page again" in text) == (403, True, True)
    assert "Research use only" in text


@pytest.mark.django_db
def test_a_program_without_a_token_is_told_so() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person(Role.RADIOLOGIST))
    answer = client.post("/api/v1/worklist/", {"q": "x"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    private_database(tmp_path / "a.sqlite3")
    assert _mode(tmp_path / "a.sqlite3") == 0o600


def test_a_database_that_everybody_could_read_is_closed(tmp_path: Path) -> None:
    for name in ("a.sqlite3", "a.sqlite3-wal", "a.sqlite3-shm"):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / name).chmod(0o644)
    private_database(tmp_path / "a.sqlite3")
    assert [_mode(path) for path in sorted(tmp_path.iterdir())] == [0o600] * 3
    assert (tmp_path / "a.sqlite3").read_bytes() == b"x"


def test_a_folder_that_everybody_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert _mode(private_folder(tmp_path / "open")) == 0o700


def test_storage_and_what_is_in_it_are_their_owners_alone(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_URL, settings.WORK_FOLDER = f"file://{tmp_path}/storage", tmp_path / "work"
    storage.keep([storage.stage(iter([b"bytes"]))])
    kept = [path for path in (tmp_path / "storage").rglob("*") if path.is_file()]
    assert [_mode(path) for path in [tmp_path / "storage", *kept]] == [0o700, 0o600]
