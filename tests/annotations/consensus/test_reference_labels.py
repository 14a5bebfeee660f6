"""The site's rule: which reads make a label."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from accounts.roles import Role
from annotations.consensus import reference_labels
from annotations.models import Context
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Place
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db
POSITIVE: dict[str, Any] = {"left": 2}


def label() -> tuple[bool, str] | None:
    found = reference_labels.labels()
    assert len(found) <= 1
    return (found[0].positive, found[0].rule) if found else None


@pytest.fixture
def queued(study: Study) -> Study:
    factories.queue(study)
    return study


def answered(study: Study, *answers: dict[str, Any]) -> list[int]:
    return [factories.read(study, context=Context.QUEUE, **said).pk for said in answers]


def test_two_who_agree_make_a_label_and_are_named(queued: Study) -> None:
    made_by = answered(queued, POSITIVE, {"right": 1})
    (found,) = reference_labels.labels()
    assert (found.positive, found.rule, found.definition) == (True, "agreement", "positive-1")
    assert (found.study, list(found.reads)) == (queued, made_by)


def test_one_of_two_makes_none(queued: Study) -> None:
    answered(queued, POSITIVE)
    assert label() is None


def test_two_who_differ_make_none(queued: Study) -> None:
    answered(queued, POSITIVE, {})
    assert label() is None


def test_two_who_differ_are_not_overruled_by_the_reading_room(queued: Study) -> None:
    answered(queued, POSITIVE, {})
    factories.read(queued)
    assert label() is None


def test_the_adjudicator_decides(queued: Study, adjudicator: User) -> None:
    answered(queued, POSITIVE, {})
    factories.read(queued, adjudicator, context=Context.ADJUDICATION)
    assert label() == (False, "adjudicated")


def test_one_reader_is_enough_where_the_queue_asks_for_one(study: Study) -> None:
    factories.queue(study, readers_per_study=1)
    answered(study, POSITIVE)
    assert label() == (True, "one_reader")


def test_the_reading_room_makes_a_label(study: Study) -> None:
    factories.read(study, **POSITIVE)
    assert label() == (True, "reading_room")


def test_the_last_revision_counts(study: Study, reader: User) -> None:
    factories.read(study, reader, **POSITIVE)
    lifecycle.reopen(Place(study, reader))
    factories.read(study, reader)
    assert label() == (False, "reading_room")


def test_a_reopened_read_counts_for_nothing(study: Study, reader: User) -> None:
    factories.read(study, reader, **POSITIVE)
    lifecycle.reopen(Place(study, reader))
    assert label() is None


def test_a_study_that_nobody_could_judge_has_no_label(study: Study) -> None:
    factories.read(study, quality="non_diagnostic")
    assert label() is None


def test_who_could_not_judge_does_not_stop_the_others(queued: Study) -> None:
    factories.queue(queued, readers_per_study=3)
    first = queued.queue_items.order_by("pk")[0]
    first.queue.readers_per_study = 3
    first.queue.save()
    queued.queue_items.exclude(pk=first.pk).delete()
    answered(queued, {"quality": "non_diagnostic"}, POSITIVE, POSITIVE)
    assert label() == (True, "agreement")


def test_more_labels_take_no_more_queries(django_assert_num_queries: Any) -> None:
    for _ in range(3):
        factories.read(factories.study())
    with django_assert_num_queries(2):
        assert len(reference_labels.labels()) == 3


@pytest.mark.parametrize(("role", "status"), [(Role.ADMIN, 200), (Role.RADIOLOGIST, 403), (Role.ANNOTATOR, 403)])
def test_labels_are_for_admins(study: Study, role: Role, status: int) -> None:
    factories.read(study, **POSITIVE)
    assert client_of(person(role)).get("/api/v1/labels/").status_code == status


def test_an_adjudicator_has_the_labels_of_studies_that_they_may_see(queued: Study, adjudicator: User) -> None:
    factories.read(factories.study())
    answered(queued, POSITIVE, POSITIVE)
    told = client_of(adjudicator).get("/api/v1/labels/").json()
    assert [row["study_uid"] for row in told["results"]] == [queued.uid]
    assert (told["count"], told["results"][0]["rule"]) == (1, "agreement")
