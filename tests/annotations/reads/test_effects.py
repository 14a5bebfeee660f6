"""A commit, a reopening and a restoring leave the study, the item and the events as one rule says."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from accounts.roles import Role
from annotations.models import Context, ReadRevision
from annotations.queues import assignment
from live.models import Audience, Event
from studies import revisions
from studies.models import Study, StudyStatus
from tests.accounts.people import person
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db
STEPS = ("commit", "reopen", "restore")
UNSURE: dict[str, Any] = {**factories.NEGATIVE, "uncertain": True}


def status_of(study: Study) -> str:
    return Study.objects.get(pk=study.pk).status


def late_images(study: Study) -> None:
    """They arrive, and their revision closes."""
    clip = factories.clip(study)
    Study.objects.filter(pk=study.pk).update(closes_at=clip.received_at)
    assert revisions.close_due() == 1


def take(desk: Desk, step: str, findings: Any = factories.NEGATIVE) -> None:
    answer = desk.commit(findings) if step == "commit" else desk.post(step)
    assert answer.status_code in {200, 201}


@pytest.fixture
def desk(reader: User, study: Study) -> Desk:
    return Desk(reader, study)


@pytest.fixture
def label_desk(annotator: User, study: Study) -> Desk:
    factories.queue(study, readers_per_study=1)
    return Desk(annotator, study, context="queue", item=factories.item(study).pk)


# ---------- the study in the list ----------


def test_a_restored_read_counts_the_study_as_read_at_its_commit(desk: Desk, study: Study) -> None:
    desk.commit()
    desk.post("reopen")
    assert desk.post("restore").json() == {"status": "committed"}
    study.refresh_from_db()
    assert (study.status, study.read_at) == (StudyStatus.READ, ReadRevision.objects.get().committed_at)


def test_a_restored_read_leaves_the_study_waiting_for_late_images_that_nobody_saw(desk: Desk, study: Study) -> None:
    desk.commit()
    desk.post("reopen")
    late_images(study)
    assert desk.post("restore").json() == {"status": "committed"}
    assert status_of(study) == StudyStatus.WAITING


def test_a_restored_read_leaves_the_study_waiting_while_late_images_still_come(desk: Desk, study: Study) -> None:
    desk.commit()
    desk.post("reopen")
    factories.clip(study)
    desk.post("restore")
    assert status_of(study) == StudyStatus.WAITING


def test_a_restored_read_counts_where_another_saw_the_late_images(desk: Desk, study: Study) -> None:
    desk.commit()
    desk.post("reopen")
    late_images(study)
    factories.read(study)
    desk.post("restore")
    assert status_of(study) == StudyStatus.READ


def test_a_reopened_read_that_alone_saw_the_late_images_brings_the_study_back(desk: Desk, study: Study) -> None:
    factories.read(study)
    late_images(study)
    desk.commit()
    assert status_of(study) == StudyStatus.READ
    desk.post("reopen")
    assert status_of(study) == StudyStatus.WAITING


def test_a_commit_that_missed_late_images_leaves_a_study_that_another_read_whole(desk: Desk, study: Study) -> None:
    desk.draft({"right": 0})
    late_images(study)
    factories.read(study)
    desk.commit(version=1)
    assert status_of(study) == StudyStatus.READ


# ---------- events ----------


@pytest.mark.parametrize("what", ["reopen", "restore"])
def test_in_the_reading_room_readers_are_told_of_the_study(desk: Desk, study: Study, what: str) -> None:
    assert _told(desk, what) == (Audience.READERS, study.uid)


@pytest.mark.parametrize("what", STEPS)
def test_in_a_label_queue_no_event_names_the_study(label_desk: Desk, what: str) -> None:
    assert _told(label_desk, what) == (Audience.ADMINS, "")


@pytest.mark.parametrize("what", ["reopen", "restore"])
def test_a_decision_between_readers_is_told_without_the_study(adjudicator: User, study: Study, what: str) -> None:
    factories.queue(study)
    for right in (2, 3):
        factories.read(study, context=Context.QUEUE, right=right)
    desk = Desk(adjudicator, study, context="adjudication", item=factories.item(study).pk)
    assert _told(desk, what) == (Audience.ADMINS, "")


def _told(desk: Desk, what: str) -> tuple[str, str]:
    """Audience and study of the one event that this step makes, after the steps that lead to it."""
    for step in STEPS[: STEPS.index(what) + 1]:
        Event.objects.all().delete()
        take(desk, step)
    event = Event.objects.get()
    return event.audience, event.study_uid


# ---------- the label queue ----------


def test_in_a_label_queue_a_restored_read_leaves_the_list_alone(label_desk: Desk, study: Study) -> None:
    for step in STEPS:
        take(label_desk, step)
        assert status_of(study) == StudyStatus.WAITING


def wanted(study: Study) -> int:
    return factories.item(study).needed


def test_a_second_reader_is_asked_for_while_an_uncertain_answer_counts(label_desk: Desk, study: Study) -> None:
    readers = []
    for step in STEPS:
        take(label_desk, step, UNSURE)
        readers.append(wanted(study))
    assert readers == [2, 1, 2]


def test_a_certain_second_reader_does_not_undo_that_the_first_is_uncertain(label_desk: Desk, study: Study) -> None:
    label_desk.commit(UNSURE)
    factories.read(study, context=Context.QUEUE)
    assert wanted(study) == 2
    assert assignment.next_item(person(Role.ANNOTATOR)) is None
