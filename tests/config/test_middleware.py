"""What a lost database looks like from outside."""

from __future__ import annotations

from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory

from config.error_pages import server_error
from config.middleware import database_trouble_is_503


def _answer(message: str, path: str = "/api/v1/worklist/", accept: str = "*/*") -> HttpResponse | None:
    request = RequestFactory().get(path, headers={"accept": accept})
    return database_trouble_is_503(lambda _: HttpResponse()).process_exception(request, OperationalError(message))


def test_a_locked_database_asks_a_program_to_come_back() -> None:
    answer = _answer("database is locked")
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert b"unavailable" in answer.content


def test_a_person_gets_a_page_that_says_what_was_kept() -> None:
    answer = _answer("server closed the connection", path="/metrics/", accept="text/html")
    assert answer is not None
    assert b"Nothing of this request was kept" in answer.content


def test_a_missing_migration_is_not_called_an_outage() -> None:
    assert _answer("no such column: jobs_job.rank") is None


def test_the_page_for_a_broken_server_needs_no_database() -> None:
    answer = server_error(RequestFactory().get("/metrics/"))
    assert answer.status_code == 500
    assert b"What was saved before is kept" in answer.content
