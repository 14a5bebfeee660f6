"""From the first keystroke to the commit, over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.models import Agreement, Read, ReadRevision
from live.models import Event
from studies.models import Study, StudyStatus
from tests.accounts.people import person
from tests.annotations import factories
from tests.annotations.factories import NEGATIVE
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(reader: User, study: Study) -> Desk:
    return Desk(reader, study)


def test_before_anything_is_typed_there_is_nothing(desk: Desk) -> None:
    assert (desk.reads()["mine"], desk.reads()["others"]) == (None, [])


def test_a_draft_is_kept_as_it_is_typed(desk: Desk) -> None:
    assert desk.draft({"right": 3}, comment="layering").json()["version"] == 1
    draft = desk.reads()["mine"]["draft"]
    assert (draft["findings"]["right"], draft["comment"], draft["version"]) == (3, "layering", 1)


def test_a_draft_from_an_older_version_overwrites_nothing(desk: Desk) -> None:
    desk.draft({"right": 3})
    answer = desk.draft({"right": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_draft")
    assert answer.json()["server"]["findings"]["right"] == 3
    assert answer.json()["server"]["version"] == 1


def test_a_draft_that_was_sent_twice_is_kept_once(desk: Desk) -> None:
    first, again = desk.draft({"right": 3}), desk.draft({"right": 3})
    assert (again.status_code, again.json()["version"]) == (200, first.json()["version"])


@pytest.mark.parametrize(
    ("findings", "named"),
    [({"right": 9}, "right"), ({"other": True}, "other"), ("none", "findings"), (None, "findings"), ([1], "findings")],
)
def test_a_draft_that_says_nothing_we_know_is_refused_by_name(desk: Desk, findings: Any, named: str) -> None:
    answer = desk.draft(findings)
    assert (answer.status_code, list(answer.json())) == (400, [named])
    assert not Read.objects.exists()


def test_a_negative_read_is_one_commit(desk: Desk, study: Study) -> None:
    answer = desk.commit()
    assert answer.status_code == 201
    assert (answer.json()["number"], answer.json()["positive"]) == (1, False)
    study.refresh_from_db()
    assert (study.status, study.read_at is not None) == (StudyStatus.READ, True)


def test_a_commit_that_was_sent_twice_counts_once(desk: Desk) -> None:
    first, again = desk.commit(), desk.commit()
    assert (first.status_code, again.status_code) == (201, 200)
    assert {**again.json(), "reveal": None} == {**first.json(), "reveal": None}
    assert ReadRevision.objects.count() == 1


def test_a_second_commit_needs_a_reopened_read(desk: Desk) -> None:
    desk.commit()
    answer = desk.commit(key="two", version=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_open")


def test_a_commit_from_an_older_version_is_refused(desk: Desk) -> None:
    desk.draft({"right": 3})
    desk.draft({"right": 2}, version=1)
    assert desk.commit(version=1).json()["code"] == "stale_draft"
    assert not ReadRevision.objects.exists()


def test_a_commit_that_leaves_the_question_open_is_refused(desk: Desk) -> None:
    answer = desk.commit({"pvl": 2})
    assert answer.status_code == 400
    assert "haemorrhage" in answer.json()["findings"][0]


def test_a_keyframe_is_of_this_study(desk: Desk, study: Study) -> None:
    here, there = study.clips.get(), factories.study().clips.get()
    foreign = {**NEGATIVE, "keyframes": [{"sop_uid": there.sop_uid, "frame": 1}]}
    beyond = {**NEGATIVE, "keyframes": [{"sop_uid": here.sop_uid, "frame": 11}]}
    assert [desk.commit(said).status_code for said in (foreign, beyond)] == [400, 400]
    assert desk.commit({**NEGATIVE, "keyframes": [{"sop_uid": here.sop_uid, "frame": 10}]}).status_code == 201


def test_a_commit_keeps_how_it_came_about(desk: Desk, study: Study) -> None:
    factories.scored(study)
    seen = [{"sop_uid": study.clips.get().sop_uid, "frames": 10, "ms": 900}]
    desk.commit(seen=seen, duration_ms=4200)
    revision = ReadRevision.objects.get()
    assert (revision.coverage, revision.duration_ms, revision.flag_seen) == (seen, 4200, "suspected")
    assert (revision.attention_seen, revision.study_revision) == (False, study.revisions.get())


def test_a_reopened_read_gets_a_second_revision_and_keeps_the_first(desk: Desk) -> None:
    desk.commit()
    reopened = desk.post("reopen").json()
    again = desk.commit({"left": 2}, version=reopened["draft"]["version"], key="two")
    assert again.json()["number"] == 2
    assert [revision["positive"] for revision in desk.reads()["mine"]["revisions"]] == [False, True]


def test_a_reopened_study_waits_again(desk: Desk, study: Study) -> None:
    desk.commit()
    desk.post("reopen")
    study.refresh_from_db()
    assert study.status == StudyStatus.WAITING


def test_a_study_that_another_has_read_stays_read(desk: Desk, study: Study) -> None:
    desk.commit()
    factories.read(study)
    desk.post("reopen")
    study.refresh_from_db()
    assert study.status == StudyStatus.READ


def test_a_second_reading_says_that_attention_was_known(desk: Desk, study: Study) -> None:
    factories.scored(study)
    desk.commit()
    desk.post("reopen")
    desk.commit(version=1, key="two")
    assert [revision.attention_seen for revision in ReadRevision.objects.all()] == [False, True]


def test_the_read_before_this_one_is_named_with_its_infant_day_and_answer(reader: User) -> None:
    infant = factories.patient(birth_date=timezone.localdate() - timedelta(days=3))
    before, now = factories.study(of=infant, minutes=1), factories.study()
    Desk(reader, before).commit({"right": 3, "left": 0})
    desk = Desk(reader, now)
    found = desk.client.get(f"{desk.base}reads/earlier/").json()["earlier"]
    assert (found["study_uid"], found["patient_id"]) == (before.uid, infant.patient_id)
    assert (found["day_of_life"], found["answered"]) == (3, "III right")


def test_a_draft_is_not_reopened(desk: Desk) -> None:
    desk.draft(NEGATIVE)
    assert desk.post("reopen").status_code == 409


def test_a_committed_read_takes_no_draft(desk: Desk) -> None:
    desk.commit()
    assert desk.draft({"right": 4}, version=1).json()["code"] == "not_open"


def test_the_commit_reveals_the_ai_and_what_comes_next(desk: Desk, study: Study) -> None:
    factories.scored(study)
    following = factories.study()
    answer = desk.commit().json()
    assert answer["reveal"]["attention"] == [{"sop_uid": study.clips.get().sop_uid, "frame": 3, "weight": 1.0}]
    assert answer["next"] == {"study_uid": following.uid, "url": f"/studies/{following.uid}/"}


def test_others_are_seen_only_after_ones_own_commit(desk: Desk, study: Study) -> None:
    other = person(first_name="Ida", last_name="Okafor")
    factories.read(study, other, right=2)
    assert desk.reads()["others"] == []
    desk.commit()
    assert [read["reader"] for read in desk.reads()["others"]] == ["Ida Okafor"]


def test_the_draft_of_another_is_never_seen(desk: Desk, study: Study) -> None:
    Desk(person(), study).draft({"right": 2})
    desk.commit()
    assert desk.reads()["others"] == []


def test_one_agrees_only_after_the_commit(desk: Desk, study: Study) -> None:
    factories.scored(study)
    assert desk.post("agreement", agree=True).status_code == 409
    desk.commit()
    assert desk.post("agreement", agree=True).json() == {"agree": True, "flag": "suspected"}


def test_a_verdict_can_change(desk: Desk, study: Study) -> None:
    factories.scored(study)
    desk.commit()
    for agree in (True, False):
        desk.post("agreement", agree=agree)
    assert [verdict.agree for verdict in Agreement.objects.all()] == [False]


def test_there_is_nothing_to_agree_with_where_the_ai_said_nothing(desk: Desk) -> None:
    desk.commit()
    assert desk.post("agreement", agree=True).status_code == 409


def test_a_commit_is_told_and_written_down(desk: Desk, study: Study) -> None:
    desk.commit()
    assert Event.objects.filter(kind="read", study_uid=study.uid, audience="readers").count() == 1
    assert AuditEntry.objects.filter(action="read.committed", study_uid=study.uid).count() == 1


def test_typing_does_not_fill_the_trail(desk: Desk) -> None:
    before = AuditEntry.objects.count()
    desk.draft({"right": 1})
    assert AuditEntry.objects.count() == before


def test_a_refused_commit_changes_nothing(desk: Desk, study: Study) -> None:
    desk.commit({"right": 0})
    study.refresh_from_db()
    assert study.status == StudyStatus.WAITING
    assert not Read.objects.exists()


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.ADJUDICATOR])
def test_annotators_do_not_read_in_the_reading_room(role: Role, study: Study) -> None:
    factories.queue(study)
    assert Desk(person(role), study).commit().status_code == 404


def test_in_the_reading_room_the_flag_is_known_and_attention_is_not(desk: Desk, study: Study) -> None:
    factories.scored(study)
    told = desk.score()
    assert (told["flag"], told["probability"], told["attention"], told["history"]) == ("suspected", 0.8, None, None)


def test_after_the_commit_attention_and_history_are_known(desk: Desk, study: Study) -> None:
    factories.scored(study)
    desk.commit()
    told = desk.score()
    assert (len(told["attention"]), len(told["history"])) == (1, 1)


def test_a_site_may_open_attention_before_the_commit(desk: Desk, study: Study, settings: Any) -> None:
    settings.ATTENTION_BEFORE_COMMIT = True
    factories.scored(study)
    assert len(desk.score()["attention"]) == 1


def test_a_site_that_shows_the_flag_alone_hides_the_probability_until_the_commit(
    desk: Desk, study: Study, settings: Any
) -> None:
    settings.SHOW_PROBABILITY = False
    factories.scored(study)
    assert desk.score()["probability"] is None
    desk.commit()
    assert desk.score()["probability"] == 0.8


def test_a_committed_revision_cannot_be_changed(desk: Desk) -> None:
    desk.commit()
    revision = ReadRevision.objects.get()
    for change in (revision.save, revision.delete, ReadRevision.objects.all().delete):
        with pytest.raises(TypeError, match="never"):
            change()
    with pytest.raises(TypeError, match="never changed"):
        ReadRevision.objects.update(comment="other")


def test_the_database_refuses_to_change_a_committed_revision(desk: Desk) -> None:
    desk.commit()
    past_the_model: QuerySet[ReadRevision] = QuerySet(model=ReadRevision)
    with pytest.raises(DatabaseError, match="never changed"):
        past_the_model.update(comment="other")


def test_how_long_each_frame_was_on_the_screen_is_kept_with_the_read(desk: Desk, study: Study) -> None:
    seen = [{"sop_uid": study.clips.get().sop_uid, "frames": 2, "ms": 900, "frame_ms": [700, None, 200]}]
    desk.commit(seen=seen)
    assert ReadRevision.objects.get().coverage == seen


def test_a_negative_time_on_the_screen_is_refused(desk: Desk, study: Study) -> None:
    seen = [{"sop_uid": study.clips.get().sop_uid, "frames": 1, "ms": 1, "frame_ms": [-5]}]
    assert desk.commit(seen=seen).status_code == 400
    assert not ReadRevision.objects.exists()
