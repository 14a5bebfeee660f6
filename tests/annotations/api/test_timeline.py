"""The infant's studies in order, with what was read in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, User
from accounts.roles import Role
from studies.models import Study
from tests.accounts.people import person
from tests.annotations import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def studies() -> list[Study]:
    """An infant of 28 weeks, examined on days 3 and 9."""
    born = timezone.localdate() - timedelta(days=9)
    infant = factories.patient(birth_date=born, gestational_age_days=196)
    return [factories.study(of=infant, minutes=6 * 24 * 60), factories.study(of=infant, minutes=1)]


def _timeline(client: Client, user: User, study: Study) -> tuple[int, Any]:
    client.force_login(user)
    answer = client.get(f"/api/v1/studies/{study.uid}/timeline/")
    return answer.status_code, answer.json()


def test_studies_come_on_the_axis_of_days_of_life(client: Client, reader: User, studies: list[Study]) -> None:
    status, told = _timeline(client, reader, studies[1])
    assert (status, [entry["day_of_life"] for entry in told["studies"]]) == (200, [3, 9])
    assert [entry["current"] for entry in told["studies"]] == [False, True]
    assert told["screening"]["next"]["name"] == "at 4 to 6 weeks"
    assert "10.1542/peds.2020-029082" in told["screening"]["source"]
    assert AuditEntry.objects.filter(action="timeline.viewed", study_uid=studies[1].uid).exists()


def test_a_committed_bleed_brings_the_next_examination_forward(
    client: Client, reader: User, studies: list[Study]
) -> None:
    factories.read(studies[0], right=0, left=0)
    factories.read(studies[1], reader, right=0, left=2)
    told = _timeline(client, reader, studies[1])[1]["screening"]
    assert (told["next"]["first"], told["next"]["last"]) == (16, 19)
    assert told["source"] == "Canadian guideline, PMC7286736"


def test_a_site_without_a_protocol_says_no_date_after_a_bleed(
    client: Client, reader: User, studies: list[Study], settings: Settings
) -> None:
    settings.FOLLOW_UP_DAYS = []
    factories.read(studies[1], reader, right=0, left=2)
    told = _timeline(client, reader, studies[1])[1]["screening"]
    assert (told["next"], told["missed"]) == (None, [])


def test_a_bleed_that_is_hidden_from_the_reader_moves_no_date(
    client: Client, reader: User, studies: list[Study]
) -> None:
    factories.read(studies[1], right=3, left=3)
    assert _timeline(client, reader, studies[1])[1]["screening"]["next"]["name"] == "at 4 to 6 weeks"


def test_an_earlier_study_shows_its_grades_and_this_one_only_after_the_commit(
    client: Client, reader: User, studies: list[Study]
) -> None:
    for study in studies:
        factories.read(study, right=1, left=3)
    before = _timeline(client, reader, studies[1])[1]["studies"]
    assert [entry["read"] and entry["read"]["left"] for entry in before] == [3, None]
    factories.read(studies[1], reader, right=0, left=2)
    after = _timeline(client, reader, studies[1])[1]["studies"]
    assert [entry["read"]["left"] for entry in after] == [3, 2]


def test_a_study_that_is_still_to_be_labelled_shows_no_grade(
    client: Client, reader: User, studies: list[Study]
) -> None:
    factories.read(studies[0], right=1, left=3)
    factories.queue(studies[0], readers=[reader])
    told = _timeline(client, reader, studies[1])[1]["studies"]
    assert (told[0]["read"], told[0]["hidden"]) == (None, "You have yet to label this study.")


def test_people_who_only_label_have_no_timeline(client: Client, studies: list[Study]) -> None:
    annotator = person(Role.ANNOTATOR)
    factories.queue(studies[1], readers=[annotator])
    assert _timeline(client, annotator, studies[1])[0] == 403
