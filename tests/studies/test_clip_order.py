"""The order in which the clips of a study were taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from studies import clip_order
from studies.models import Clip
from tests.studies.dicoms import clip

pytestmark = pytest.mark.django_db
SERIES = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
NIGHT = {"AcquisitionDate": "20251026", "StudyDate": "20251026"}


@pytest.fixture
def in_order(take: Any) -> Callable[..., str]:
    """Takes clips in, each with the letter of its place as the device's name; their letters in the order found."""

    def taken(*clips: dict[str, Any]) -> str:
        for letter, facts in zip("abcdef", clips, strict=False):
            take(clip(**{**SERIES, "ManufacturerModelName": letter, **facts}))
        return "".join(each.device for each in clip_order.ordered(Clip.objects.all()))

    return taken


def numbered(*facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"InstanceNumber": number, **each} for number, each in enumerate(facts, 1)]


def test_offsets_of_their_own_give_the_order(in_order: Any) -> None:
    stamps = "20260315090000+0100", "20260315041000-0400", "20260315082000+0000", "20260315093000+0100"
    assert in_order(*({"AcquisitionDateTime": stamp} for stamp in stamps)) == "abcd"


def test_stated_offsets_cross_the_night_when_clocks_go_back(in_order: Any, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    stamps = "025000+0200", "025500+0200", "020500+0100", "021000+0100"
    assert in_order(*({"AcquisitionDateTime": f"20251026{stamp}"} for stamp in stamps)) == "abcd"


def test_stated_offsets_go_before_instance_numbers_in_that_night(in_order: Any, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    stamps = "025500+0200", "025000+0200"
    assert in_order(*numbered(*({"AcquisitionDateTime": f"20251026{stamp}"} for stamp in stamps))) == "ba"


def test_without_offsets_instance_numbers_decide_in_that_night(in_order: Any, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    times = "025000", "025500", "020500", "021000", "030500"
    assert in_order(*numbered(*({**NIGHT, "AcquisitionTime": at} for at in times))) == "abcde"
    assert clip_order.REPEATED_HOUR in Clip.objects.get(device="a").warnings
    assert clip_order.REPEATED_HOUR not in Clip.objects.get(device="e").warnings


def test_in_any_other_night_the_clock_decides(in_order: Any, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    day = {"AcquisitionDate": "20251025"}
    assert in_order(*numbered(*({**day, "AcquisitionTime": at} for at in ("025000", "020500")))) == "ba"


def test_equal_times_are_left_to_instance_numbers(in_order: Any) -> None:
    assert in_order({"InstanceNumber": 3}, {"InstanceNumber": 1}, {"InstanceNumber": 2}) == "bca"


def test_a_clip_without_a_date_stands_after_the_number_before_it(in_order: Any) -> None:
    undated = {"StudyDate": None, "InstanceNumber": 2}
    first, third = ({"StudyTime": at, "InstanceNumber": number} for at, number in (("1000", 1), ("1010", 3)))
    assert in_order(third, first, undated) == "bca"


def test_without_any_date_instance_numbers_decide_and_not_arrival(in_order: Any) -> None:
    assert in_order(*({"StudyDate": None, "InstanceNumber": number} for number in (3, 1, 2))) == "bca"


def test_a_date_without_a_time_stands_where_its_content_time_says(in_order: Any) -> None:
    day, content = {"AcquisitionDate": "20260315"}, {"ContentDate": "20260315"}
    later = [{**day, **content, "ContentTime": at} for at in ("101600", "101500")]
    assert in_order(*later, {**day, "AcquisitionTime": "101400"}) == "cba"


def test_a_time_ahead_of_the_sites_clock_is_said_to_be(in_order: Any) -> None:
    ahead = timezone.localtime() + timedelta(hours=2)
    in_order({"AcquisitionDate": f"{ahead:%Y%m%d}", "AcquisitionTime": f"{ahead:%H%M%S}"})
    assert any(f"{ahead:%Y-%m-%d %H:%M} lies in the future" in each for each in Clip.objects.get().warnings)


def test_a_study_ahead_of_the_sites_clock_is_said_to_be(in_order: Any) -> None:
    ahead = timezone.localtime() + timedelta(hours=2)
    acquired = {"AcquisitionDate": "20260105", "AcquisitionTime": "1000"}
    in_order({"StudyDate": f"{ahead:%Y%m%d}", "StudyTime": f"{ahead:%H%M%S}", **acquired})
    assert any("lies in the future" in each for each in Clip.objects.get().warnings)


def test_what_is_wrong_with_a_clips_time_stands_in_the_studys_notes(take: Any, reader: Client) -> None:
    take(clip(StudyInstanceUID="1.7", TimezoneOffsetFromUTC="+2600"))
    notes = reader.get("/api/v1/studies/1.7/").json()["notes"]
    assert any(note.startswith("Clip 1: The offset from UTC that it states, +2600, is none") for note in notes)
