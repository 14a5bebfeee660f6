"""Days of the site's own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.utils import timezone

from common.local_time import midnight


def test_a_day_begins_by_the_clock_of_the_site() -> None:
    with timezone.override("America/New_York"):
        assert midnight(date(2026, 1, 2)) == datetime(2026, 1, 2, 5, tzinfo=UTC)


def test_today_is_the_day_of_the_site() -> None:
    with timezone.override("Asia/Tokyo"):
        assert midnight() == midnight(timezone.localdate())
