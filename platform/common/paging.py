"""Pages of DRF, with links that hold wherever the site is reached from."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, LimitOffsetPagination
from rest_framework.request import Request


def relative(link: str | None) -> str | None:
    """Path and query of a link: the name by which a proxy reaches this process is not the reader's."""
    return urlunsplit(("", "", *urlsplit(link)[2:])) if link else None


class OffsetPages(LimitOffsetPagination):
    """Pages of a list whose order is made in Python: ``cursor`` rows are skipped, ``page_size`` are shown."""

    default_limit = 100
    max_limit = 500
    limit_query_param = "page_size"
    offset_query_param = "cursor"

    def get_next_link(self) -> str | None:
        return relative(super().get_next_link())

    def get_previous_link(self) -> str | None:
        return relative(super().get_previous_link())


class KeyPages(CursorPagination):
    """Pages of rows that are only added to, the newest first. A cursor that is none starts from the newest."""

    ordering = "-id"
    page_size = 100
    cursor_query_param = "before"

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except NotFound:
            return None

    def get_next_link(self) -> str | None:
        return relative(super().get_next_link())
