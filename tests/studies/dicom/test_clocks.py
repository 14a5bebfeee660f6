"""Days, times and offsets from UTC as devices write them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from studies.dicom import clocks
from studies.dicom.facts import Header
from studies.sandbox import pool
from tests.studies.dicoms import clip


@pytest.fixture
def header(tmp_path: Path) -> Any:
    def read(**facts: Any) -> Header:
        path = tmp_path / "a.dcm"
        path.write_bytes(clip(**facts))
        return pool.read_header(path)

    return read


def test_a_date_times_own_offset_is_kept(header: Any) -> None:
    facts = header(AcquisitionDateTime="20260105041000.5-0400")
    assert facts["acquired_at"] == "2026-01-05T04:10:00.500000-04:00"


def test_its_own_offset_goes_before_the_files(header: Any) -> None:
    facts = header(AcquisitionDateTime="20260105090000+0100", TimezoneOffsetFromUTC="-0500")
    assert facts["acquired_at"] == "2026-01-05T09:00:00+01:00"


def test_a_date_time_without_an_offset_leaves_it_to_the_file(header: Any) -> None:
    facts = header(AcquisitionDateTime="20260105090000", TimezoneOffsetFromUTC="-0500")
    assert (facts["acquired_at"], facts["utc_offset"]) == ("2026-01-05T09:00:00", "-0500")


def test_an_offset_of_the_file_that_no_place_has_is_said(header: Any) -> None:
    warnings = header(TimezoneOffsetFromUTC="+2600")["warnings"]
    assert any("offset from UTC that it states, +2600, is none" in warning for warning in warnings)
    assert not any("offset" in warning for warning in header(TimezoneOffsetFromUTC="+0530")["warnings"])


@pytest.mark.parametrize("offset", ["+1500", "-9900", "+0190"])
def test_an_offset_that_no_place_has_is_not_believed(header: Any, offset: str) -> None:
    assert header(AcquisitionDateTime=f"20260105090000{offset}")["acquired_at"] == "2026-01-05T09:00:00"


@pytest.mark.parametrize(
    "facts",
    [
        {"AcquisitionDate": "20260105"},
        {"AcquisitionDate": "20260105", "AcquisitionTime": "none"},
        {"AcquisitionDateTime": "20260105"},
        {"AcquisitionDateTime": "20260105+0100"},
    ],
)
def test_a_date_without_a_time_leaves_it_to_the_next_full_pair(header: Any, facts: dict[str, str]) -> None:
    assert header(ContentDate="20260105", ContentTime="101600", **facts)["acquired_at"] == "2026-01-05T10:16:00"


def test_a_date_alone_counts_where_nothing_has_a_time_and_is_said_to_be_one(header: Any) -> None:
    facts = header(AcquisitionDate="20260105", StudyTime=None)
    assert facts["acquired_at"] == "2026-01-05T00:00:00"
    assert any("no time" in warning for warning in facts["warnings"])


def test_a_study_without_a_time_takes_that_of_its_series_on_the_same_day(header: Any) -> None:
    series = {"SeriesDate": "20260105", "SeriesTime": "1112"}
    assert header(StudyTime=None, **series)["study_at"] == "2026-01-05T11:12:00"


def test_a_study_without_a_time_keeps_its_own_day(header: Any) -> None:
    series = {"SeriesDate": "20260106", "SeriesTime": "1112"}
    assert header(StudyTime=None, **series)["study_at"] == "2026-01-05T00:00:00"


def test_an_hour_ahead_by_its_own_offset_is_the_future(header: Any) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    facts = header(AcquisitionDateTime=f"{ahead:%Y%m%d%H%M%S}+0000")
    assert facts["acquired_at"] is None
    assert any(f"{ahead:%Y-%m-%d %H:%M} lies in the future" in warning for warning in facts["warnings"])


def test_an_hour_ahead_on_a_clock_east_of_here_is_not(header: Any) -> None:
    local = datetime.now(UTC) + timedelta(hours=1)
    facts = header(AcquisitionDateTime=f"{local:%Y%m%d%H%M%S}+0200")
    assert facts["acquired_at"] == f"{local:%Y-%m-%dT%H:%M:%S}+02:00"


@pytest.mark.parametrize(
    ("written", "read"), [("10", time(10)), ("1015", time(10, 15)), ("10:15:60", time(10, 15, 59))]
)
def test_a_time_is_read_as_far_as_it_goes(written: str, read: time) -> None:
    assert clocks.clock(written) == read


@pytest.mark.parametrize("written", ["", "9", "noon", "2561", "٠٩٠٠"])
def test_a_time_that_is_none_is_none(written: str) -> None:
    assert clocks.clock(written) is None
