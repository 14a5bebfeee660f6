"""The list as the API tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.models import Read
from annotations.reads.lifecycle import Answer, Place, save_draft
from inference import current_scores
from studies.models import Study, StudyStatus
from tests.accounts.people import client_of, person
from tests.annotations import factories
from worklist import claims

pytestmark = pytest.mark.django_db
URL = "/api/v1/worklist/"


@pytest.fixture
def reader() -> User:
    return person(Role.RADIOLOGIST)


def listed(user: User, query: str = "") -> dict[str, Any]:
    answer = client_of(user).get(URL + query)
    assert answer.status_code == 200, answer.content
    page: dict[str, Any] = answer.json()
    return page


def uids(page: dict[str, Any]) -> list[str]:
    return [row["study_uid"] for row in page["results"]]


def row_of(user: User, study: Study) -> dict[str, Any]:
    row: dict[str, Any] = next(row for row in listed(user)["results"] if row["study_uid"] == study.uid)
    return row


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.ADJUDICATOR])
def test_annotators_have_no_worklist(role: Role) -> None:
    factories.study()
    answer = client_of(person(role)).get(URL)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_rows_come_in_reading_order_with_their_bands(reader: User) -> None:
    negative = factories.study(minutes=60)
    suspected, unscored, stat = factories.study(), factories.study(), factories.study(priority="stat")
    late = factories.study(minutes=239)
    factories.scored(negative, "not_suspected", 0.02)
    factories.scored(suspected)
    page = listed(reader)
    assert uids(page) == [study.uid for study in (stat, late, suspected, unscored, negative)]
    bands = [row["band"] for row in page["results"]]
    assert bands == ["priority", "near_limit", "suspected", "unscored", "not_suspected"]


def test_a_row_says_what_a_reader_needs(reader: User) -> None:
    born = (timezone.now() - timedelta(minutes=10)).date()  # the day of the pictures, around midnight too
    infant = factories.patient(birth_weight_g=1010, gestational_age_days=191, birth_date=born)
    study = factories.study(of=infant, clips=2)
    factories.scored(study)
    row = row_of(reader, study)
    assert row | {"thumbnails": None} == row | {
        "patient_id": infant.patient_id, "patient_name": infant.name, "status": "waiting", "priority": "routine",
        "flag": "suspected", "probability": 0.8, "revision": 1, "claimed_by": None, "clips": 2, "frames": 20,
        "birth_weight_g": 1010, "day_of_life": 0, "postmenstrual_age_days": 191, "last_read": None, "thumbnails": None,
    }  # fmt: skip
    assert row["thumbnails"][0].startswith(f"/api/v1/studies/{study.uid}/clips/")
    assert 590 <= row["waiting_seconds"] <= 660


def test_a_demo_model_says_that_it_means_nothing_here(reader: User) -> None:
    factories.model(trained_on_phantoms=True)
    study = factories.study()
    factories.scored(study)
    assert "means nothing" in row_of(reader, study)["model"]["demo_warning"]


def test_a_site_may_show_the_flag_alone(reader: User, settings: Any) -> None:
    settings.SHOW_PROBABILITY = False
    study = factories.study()
    factories.scored(study, probability=0.83)
    row = row_of(reader, study)
    assert (row["flag"], row["probability"]) == ("suspected", None)
    assert "0.83" not in row["why"]


def test_late_images_never_lower_a_study(reader: User) -> None:
    study, other = factories.study(), factories.study()
    factories.scored(study, probability=0.9)
    factories.scored(other, probability=0.5)
    factories.revision(study)
    factories.scored(study, "not_suspected", 0.1)
    page = listed(reader)
    assert uids(page) == [study.uid, other.uid]
    assert "revision 2" in page["results"][0]["why"]


def test_late_images_do_not_start_the_waiting_again(reader: User) -> None:
    study = factories.study(minutes=100)
    Study.objects.filter(pk=study.pk).update(last_image_at=timezone.now())
    assert row_of(reader, study)["waiting_seconds"] >= 6000


def test_while_the_ai_is_down_the_longest_wait_goes_first(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_scores, "ai_state", lambda: {"state": "down", "message": "No worker."})
    old, suspected = factories.study(minutes=30), factories.study()
    factories.scored(suspected)
    page = listed(reader)
    assert uids(page) == [old.uid, suspected.uid]
    assert page["ai"] == {"state": "down", "message": "No worker."}


def test_a_blinded_reader_has_no_ai_anywhere_in_the_list(reader: User) -> None:
    study, other = factories.study(minutes=5), factories.study(minutes=20)
    factories.scored(study, probability=0.99)
    factories.queue(study, readers=[reader])
    page = listed(reader)
    row = page["results"][1]
    assert uids(page) == [other.uid, study.uid]
    assert {row[name] for name in ("flag", "probability", "model", "last_image_to_flag_seconds")} == {None}
    assert (row["band"], row["flag_reason"], page["counts"]["suspected"]) == ("unscored", "", 0)
    assert uids(listed(reader, "?filter=suspected")) == []


def test_another_reader_is_not_blinded(reader: User) -> None:
    study = factories.study()
    factories.scored(study)
    factories.queue(study, readers=[reader])
    assert row_of(person(), study)["flag"] == "suspected"


def test_the_counts_are_of_everything_that_waits(reader: User) -> None:
    for flag in ("suspected", "not_suspected", "not_analysed"):
        factories.scored(factories.study(), flag, 0.5)
    factories.read(factories.study())
    counts = listed(reader, "?filter=suspected&page_size=1")["counts"]
    assert counts == {"waiting": 3, "suspected": 1, "not_analysed": 1, "mine": 0, "read_today": 1}


@pytest.mark.parametrize("flag", ["suspected", "not_analysed"])
def test_filters_by_flag(reader: User, flag: str) -> None:
    studies = {each: factories.study() for each in ("suspected", "not_suspected", "not_analysed")}
    for each, study in studies.items():
        factories.scored(study, each, 0.5)
    assert uids(listed(reader, f"?filter={flag}")) == [studies[flag].uid]


def test_mine_are_those_that_i_have_open_or_half_typed(reader: User) -> None:
    claimed, typed, other = factories.study(minutes=3), factories.study(minutes=2), factories.study()
    claims.take(claimed, reader)
    claims.take(other, person())
    save_draft(Place(typed, reader), Answer({"right": 2}, "", 0))
    assert uids(listed(reader, "?filter=mine")) == [claimed.uid, typed.uid]


def test_read_today_leaves_out_yesterday(reader: User) -> None:
    today, yesterday = factories.study(), factories.study()
    factories.read(today)
    factories.read(yesterday)
    Study.objects.filter(pk=yesterday.pk).update(read_at=timezone.now() - timedelta(days=1))
    page = listed(reader, "?filter=read_today")
    assert uids(page) == [today.uid]
    assert (page["results"][0]["status"], page["results"][0]["band"]) == ("read", "read")


def test_words_find_a_patient_in_any_case(reader: User) -> None:
    study = factories.study(of=factories.patient(name="Morgenstern^Ida"))
    factories.study()
    assert uids(listed(reader, "?q=morgenstern%20IDA")) == [study.uid]


@pytest.mark.parametrize(
    "words",
    ["образцова", "АННА", "müster", "zoé", "a-17", "cranial", "1.2.826"],  # noqa: RUF001 - Cyrillic is the point
)
def test_both_lists_find_the_same_words(reader: User, words: str) -> None:
    for name in ("ОБРАЗЦОВА^АННА", "MÜSTER^ZOÉ"):  # noqa: RUF001 - as above
        factories.study(of=factories.patient(name=name), accession="A-17", description="Cranial")
    waiting = uids(listed(reader, f"?q={words}"))
    for study in Study.objects.all():
        factories.read(study)
    assert sorted(uids(listed(reader, f"?filter=read_today&q={words}"))) == sorted(waiting) != []


def test_pages_follow_one_another_without_a_hole(reader: User) -> None:
    studies = [factories.study(minutes=minutes) for minutes in (50, 40, 30)]
    first = listed(reader, "?page_size=2")
    second = client_of(reader).get(first["next"]).json()
    assert uids(first) + uids(second) == [study.uid for study in studies]
    assert (first["previous"], second["next"]) == (None, None)
    assert uids(client_of(reader).get(second["previous"]).json()) == uids(first)


def test_the_last_read_of_the_infant_is_beside_the_new_study(reader: User) -> None:
    infant = factories.patient()
    before = factories.study(of=infant, minutes=7 * 24 * 60 + 10)
    factories.read(before, right=0, left=3)
    assert row_of(reader, factories.study(of=infant))["last_read"] == {"grade": "III left", "days": 7}


def test_a_study_that_was_read_says_by_whom(reader: User) -> None:
    study, waiting = factories.study(), factories.study()
    read = factories.read(study).read
    rows = {row["study_uid"]: row["read_by"] for row in listed(reader, "?filter=read_today")["results"]}
    assert (rows, row_of(reader, waiting)["read_by"]) == ({study.uid: read.reader.display}, None)


def test_who_still_has_to_label_a_study_is_not_told_who_read_it(reader: User) -> None:
    study = factories.study()
    factories.read(study)
    factories.queue(study, readers=[reader])
    assert [row["read_by"] for row in listed(reader, "?filter=read_today")["results"]] == [None]


def test_a_claim_shows_who_has_it(reader: User) -> None:
    study = factories.study()
    claims.take(study, reader)
    own, others = row_of(reader, study), row_of(person(), study)
    assert (own["status"], own["claimed_by"]["you"], others["claimed_by"]["you"]) == ("reading", True, False)
    assert others["claimed_by"]["display"] == reader.display


def test_the_list_leaves_one_audit_row(reader: User) -> None:
    studies = [factories.study(), factories.study()]
    listed(reader)
    entry = AuditEntry.objects.get(action="worklist.viewed")
    assert sorted(entry.detail["studies"]) == sorted(study.pk for study in studies)


@pytest.mark.parametrize("query", ["?filter=none", "?page_size=0", "?page_size=5000", "?cursor=-1", "?cursor=x"])
def test_a_strange_question_is_refused(reader: User, query: str) -> None:
    assert client_of(reader).get(URL + query).status_code == 400


def _full_row() -> None:
    infant = factories.patient()
    factories.read(factories.study(of=infant, minutes=10_000))
    study = factories.study(of=infant, clips=3)
    factories.scored(study)
    claims.take(study, person())


def test_a_longer_list_takes_no_more_queries(
    reader: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(reader)
    _full_row()
    with django_assert_max_num_queries(25) as few:
        client.get(URL)
    for _ in range(5):
        _full_row()
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(URL)


def test_a_read_study_leaves_the_list(reader: User) -> None:
    study = factories.study()
    factories.read(study)
    assert uids(listed(reader)) == []
    assert Study.objects.get(pk=study.pk).status == StudyStatus.READ
    assert Read.objects.count() == 1


def test_words_are_asked_for_in_the_body_and_stand_in_no_address(reader: User) -> None:
    wanted = [factories.study(of=factories.patient(name="Zebrowski^Anna")) for _ in range(3)]
    factories.study()
    page = client_of(reader).post(f"{URL}?page_size=2", {"q": "zebrowski"}, "application/json").json()
    assert set(uids(page)) < {study.uid for study in wanted}
    assert (len(uids(page)), "zebrowski" in page["next"]) == (2, False)
    rest = client_of(reader).post(page["next"], {"q": "zebrowski"}, "application/json").json()
    assert {*uids(page), *uids(rest)} == {study.uid for study in wanted}


def test_who_has_no_worklist_searches_none() -> None:
    answer = client_of(person(Role.ANNOTATOR)).post(URL, {"q": "zebrowski"}, "application/json")
    assert answer.status_code == 403
