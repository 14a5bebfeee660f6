"""Label queues: whose items, in which order, how far, and what is hidden meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from annotations.models import Context, LabelQueue, QueueItem, Read, ReadRevision, Skip
from annotations.reads.blinding import blinded_uids, is_blinded
from config import error_pages
from studies import access
from studies.models import Study, StudyStatus
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db
URL = "/api/v1/label-queue/"


def at_desk(user: User, study: Study) -> Desk:
    return Desk(user, study, context="queue", item=factories.item(study).pk)


def queue_of(user: User) -> dict[str, Any]:
    told: dict[str, Any] = client_of(user).get(URL).json()
    return told


def current(user: User) -> str | None:
    item = queue_of(user)["item"]
    return item["study_uid"] if item else None


@pytest.fixture
def three() -> list[Study]:
    studies = [factories.study(minutes=minutes) for minutes in (30, 20, 10)]
    factories.queue(*studies)
    return studies


def test_the_first_item_comes_first(annotator: User, three: list[Study]) -> None:
    told = queue_of(annotator)
    assert told["item"]["study_uid"] == three[0].uid
    assert (told["position"], told["total"], told["done"], told["item"]["why"]) == (1, 3, 0, "not read yet")


def test_a_commit_opens_the_next(annotator: User, three: list[Study]) -> None:
    answer = at_desk(annotator, three[0]).commit().json()
    item = factories.item(three[1])
    assert answer["next"] == {"study_uid": three[1].uid, "url": f"/label/{item.pk}/"}
    assert (queue_of(annotator)["position"], queue_of(annotator)["done"]) == (2, 1)


def test_a_commit_tells_the_queue_as_it_would_be_told_if_asked(annotator: User, three: list[Study]) -> None:
    answer = at_desk(annotator, three[0]).commit().json()
    assert answer["queue"] == queue_of(annotator)


def test_the_commit_of_an_item_reveals_nothing(annotator: User, three: list[Study]) -> None:
    factories.scored(three[0])
    assert at_desk(annotator, three[0]).commit().json()["reveal"] is None


def test_the_commit_of_an_item_leaves_the_worklist_alone(annotator: User, three: list[Study]) -> None:
    at_desk(annotator, three[0]).commit()
    three[0].refresh_from_db()
    assert three[0].status == StudyStatus.WAITING


def test_the_queue_ends(annotator: User, three: list[Study]) -> None:
    answers = [at_desk(annotator, study).commit().json() for study in three]
    told = queue_of(annotator)
    assert answers[-1]["next"] is None
    assert (told["item"], told["done"], told["total"]) == (None, 3, 3)


def test_a_skipped_item_comes_back_at_the_end(annotator: User, three: list[Study]) -> None:
    skipped = client_of(annotator).post(
        f"{URL}{factories.item(three[0]).pk}/skip/", {"reason": "later"}, "application/json"
    )
    assert skipped.json()["item"]["study_uid"] == three[1].uid
    assert Skip.objects.get().reason == "later"
    for study in three[1:]:
        at_desk(annotator, study).commit()
    assert current(annotator) == three[0].uid


def test_readers_go_through_the_queue_each_for_themselves(annotator: User, three: list[Study]) -> None:
    at_desk(annotator, three[0]).commit()
    assert current(person(Role.ANNOTATOR)) == three[0].uid


def test_an_item_with_enough_readers_is_offered_to_nobody_else(three: list[Study]) -> None:
    for _ in range(2):
        factories.read(three[0], context=Context.QUEUE)
    late = person(Role.ANNOTATOR)
    assert current(late) == three[1].uid
    assert at_desk(late, three[0]).commit().status_code == 404


def _open(user: User, study: Study) -> None:
    client_of(user).get(f"/label/{factories.item(study).pk}/")


def test_an_item_that_two_have_open_is_offered_to_nobody_else(three: list[Study]) -> None:
    for _ in range(2):
        _open(person(Role.ANNOTATOR), three[0])
    assert current(person(Role.ANNOTATOR)) == three[1].uid


def test_who_skips_an_item_gives_their_place_away_and_may_still_come_back(three: list[Study]) -> None:
    people = [person(Role.ANNOTATOR) for _ in range(2)]
    for user in people:
        _open(user, three[0])
    client_of(people[0]).post(f"{URL}{factories.item(three[0]).pk}/skip/", {"reason": "later"}, "application/json")
    assert current(person(Role.ANNOTATOR)) == three[0].uid
    assert at_desk(people[0], three[0]).commit().status_code == 201


def test_who_opened_an_item_long_ago_takes_no_place(three: list[Study]) -> None:
    for _ in range(2):
        _open(person(Role.ANNOTATOR), three[0])
    Read.objects.update(opened_at=timezone.now() - timedelta(hours=2))
    assert current(person(Role.ANNOTATOR)) == three[0].uid


def test_the_pace_is_known_after_three_commits(annotator: User, three: list[Study]) -> None:
    assert queue_of(annotator)["pace_per_hour"] is None
    for study in three:
        at_desk(annotator, study).commit()
    assert queue_of(annotator)["pace_per_hour"] > 0


def test_an_annotator_sees_the_studies_of_their_items_only(annotator: User, three: list[Study]) -> None:
    factories.study()
    assert {study.pk for study in access.visible_studies(annotator)} == {study.pk for study in three}


def test_a_closed_queue_shows_its_studies_to_nobody(annotator: User, three: list[Study]) -> None:
    LabelQueue.objects.update(active=False)
    assert not access.visible_studies(annotator).exists()
    assert current(annotator) is None


def test_a_queue_that_names_its_readers_is_theirs_alone(annotator: User) -> None:
    study, named = factories.study(), person(Role.RADIOLOGIST)
    factories.queue(study, readers=[named])
    assert (current(annotator), current(named)) == (None, study.uid)


def test_a_radiologist_who_is_not_named_labels_nothing(reader: User, three: list[Study]) -> None:
    assert current(reader) is None
    assert blinded_uids(reader) == set()


def test_before_the_commit_the_score_is_blinded_and_says_nothing_else(annotator: User, three: list[Study]) -> None:
    factories.scored(three[0])
    assert at_desk(annotator, three[0]).score() == {"state": "blinded"}


def test_in_a_queue_the_score_is_blinded_even_after_the_commit(annotator: User, three: list[Study]) -> None:
    factories.scored(three[0])
    desk = at_desk(annotator, three[0])
    desk.commit()
    assert desk.score(context="queue") == {"state": "blinded"}


def test_after_the_commit_the_score_may_be_known(annotator: User, three: list[Study]) -> None:
    factories.scored(three[0])
    desk = at_desk(annotator, three[0])
    desk.commit()
    assert desk.score()["flag"] == "suspected"


def test_who_reopens_an_item_is_blinded_again(annotator: User, three: list[Study]) -> None:
    factories.scored(three[0])
    desk = at_desk(annotator, three[0])
    desk.commit()
    desk.post("reopen")
    assert desk.score() == {"state": "blinded"}


def test_who_knew_the_flag_and_changed_the_answer_is_on_record(annotator: User, three: list[Study]) -> None:
    factories.scored(three[0])
    desk = at_desk(annotator, three[0])
    desk.commit()
    desk.score()
    desk.post("reopen")
    desk.commit({"right": 1}, version=1, key="two")
    assert [revision.flag_seen for revision in ReadRevision.objects.all()] == ["", "suspected"]


def test_a_radiologist_with_an_open_item_is_blinded_in_the_reading_room_too(reader: User, study: Study) -> None:
    factories.scored(study)
    factories.queue(study, readers=[reader])
    desk = Desk(reader, study)
    assert desk.score() == {"state": "blinded"}
    assert desk.commit().json()["reveal"] is None
    assert desk.score() == {"state": "blinded"}
    assert desk.post("agreement", agree=True).json()["code"] == "blinded"
    assert ReadRevision.objects.get().flag_seen == ""


def test_after_answering_the_item_the_radiologist_is_not_blinded(reader: User, study: Study) -> None:
    factories.scored(study)
    factories.queue(study, readers=[reader])
    at_desk(reader, study).commit()
    assert Desk(reader, study).score()["flag"] == "suspected"
    assert not is_blinded(reader, study.uid)


def test_other_readers_are_hidden_until_ones_own_commit(annotator: User, three: list[Study]) -> None:
    factories.read(three[0], context=Context.QUEUE, right=3)
    desk = at_desk(annotator, three[0])
    assert desk.reads()["others"] == []
    desk.commit()
    assert [read["reader"] for read in desk.reads()["others"]] == ["Reader 1"]


def test_the_item_of_somebody_else_does_not_exist(reader: User, annotator: User, three: list[Study]) -> None:
    item = factories.item(three[0]).pk
    foreign = client_of(reader).post(f"{URL}{item}/skip/", {"reason": "x"}, "application/json")
    unknown = client_of(annotator).post(f"{URL}999999/skip/", {"reason": "x"}, "application/json")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert not Skip.objects.exists()


def test_an_item_is_not_answered_with_the_study_of_another(annotator: User, three: list[Study]) -> None:
    desk = Desk(annotator, three[0], context="queue", item=factories.item(three[1]).pk)
    assert desk.commit().status_code == 404
    assert not Read.objects.exists()


def test_make_queue_takes_what_nobody_has_read(three: list[Study]) -> None:
    fresh, read = factories.study(), factories.study()
    factories.study(clips=0)
    factories.read(read)
    call_command("make_queue", "October", "--from-unlabelled", "--readers", "1")
    queue = LabelQueue.objects.get(name="October")
    assert [item.study for item in queue.items.all()] == [fresh]
    assert queue.readers_per_study == 1


def test_make_queue_twice_makes_one(capsys: pytest.CaptureFixture[str]) -> None:
    factories.study()
    call_command("make_queue", "October")
    call_command("make_queue", "October")
    assert QueueItem.objects.count() == 1
    assert "nothing was changed" in capsys.readouterr().out


def test_make_queue_names_readers_that_it_does_not_know() -> None:
    with pytest.raises(CommandError, match="nobody-here"):
        call_command("make_queue", "October", "--reader", "nobody-here")


def test_label_leads_to_the_next_item(annotator: User, three: list[Study]) -> None:
    answer = client_of(annotator).get("/label/")
    assert (answer.status_code, answer["Location"]) == (302, f"/label/{factories.item(three[0]).pk}/")


def test_an_item_opens_blinded(annotator: User, three: list[Study]) -> None:
    page = client_of(annotator).get(f"/label/{factories.item(three[0]).pk}/").context["page"]
    assert (page["mode"], page["study_uid"], page["position"], page["total"]) == ("queue", three[0].uid, 1, 3)
    assert (page["why"], page["user"]["username"]) == ("not read yet", annotator.username)


def test_a_queue_that_is_done_says_so(annotator: User, three: list[Study]) -> None:
    for study in three:
        at_desk(annotator, study).commit()
    answer = client_of(annotator).get("/label/")
    assert (answer.status_code, answer.context["page"]["item"], answer.context["done"]) == (200, None, True)


def test_the_page_of_another_readers_item_looks_like_one_that_does_not_exist(reader: User, three: list[Study]) -> None:
    client = client_of(reader)
    foreign, unknown = client.get(f"/label/{factories.item(three[0]).pk}/"), client.get("/label/999999/")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert [answer.context["detail"] for answer in (foreign, unknown)] == [error_pages.NOT_FOUND] * 2


def test_undo_goes_back_through_all_of_today_and_what_is_left_as_it_was_counts_on(annotator: User) -> None:
    studies = [factories.study(minutes=minutes) for minutes in (30, 20, 10)]
    factories.queue(*studies)
    desks = [Desk(annotator, each, context="queue", item=factories.item(each).pk) for each in studies]
    for desk in desks[:2]:
        desk.commit()
    back = [desk.client.get(f"{desk.base}reads/earlier/", desk.where).json()["earlier"] for desk in desks]
    assert [found and found["study_uid"] for found in back] == [None, studies[0].uid, studies[1].uid]
    assert {found["patient_id"] for found in back if found} == {""}, "a queue names nobody"
    desks[1].post("reopen")
    assert desks[1].post("restore").json() == {"status": "committed"}
    assert len(desks[1].reads()["mine"]["revisions"]) == 1


def test_a_reopened_read_that_was_changed_counts_only_when_it_is_committed(annotator: User) -> None:
    made = factories.study()
    factories.queue(made)
    desk = Desk(annotator, made, context="queue", item=factories.item(made).pk)
    desk.commit()
    desk.post("reopen")
    desk.draft({"right": 3, "left": 0}, version=1)
    assert desk.post("restore").status_code == 409
