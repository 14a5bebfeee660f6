"""Pages of a list in Python, and of rows by key."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts import audit
from accounts.models import AuditEntry
from common.paging import KeyPages, OffsetPages, relative


def request(query: str = "") -> Request:
    return Request(APIRequestFactory().get(f"http://testserver/list/{query}"))


def offset_page(query: str) -> tuple[list[Any] | None, str | None, str | None]:
    pages = OffsetPages()
    return pages.paginate_queryset(range(5), request(query)), pages.get_next_link(), pages.get_previous_link()


def test_a_page_in_the_middle_has_one_before_and_one_after() -> None:
    assert offset_page("?cursor=2&page_size=2&q=x") == (
        [2, 3],
        "/list/?cursor=4&page_size=2&q=x",
        "/list/?page_size=2&q=x",
    )


@pytest.mark.parametrize(("query", "rows"), [("", [0, 1, 2, 3, 4]), ("?cursor=3", [3, 4]), ("?cursor=9", [])])
def test_the_last_page_has_none_after_it(query: str, rows: list[int]) -> None:
    assert offset_page(query)[:2] == (rows, None)


def test_links_do_not_name_the_host_that_a_proxy_asked() -> None:
    assert relative("http://inside:8000/list/?cursor=2") == "/list/?cursor=2"
    assert relative(None) is None


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["", "?before=x", "?before=%00"])
def test_a_cursor_that_is_none_starts_from_the_newest(query: str) -> None:
    made = [audit.record(None, "thing.made") for _ in range(3)]
    assert KeyPages().paginate_queryset(AuditEntry.objects.all(), request(query)) == made[::-1]
