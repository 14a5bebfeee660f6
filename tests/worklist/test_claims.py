"""Claims: one holder at a time, seen by all, lapsing by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from annotations.reads import effects, lifecycle
from annotations.reads.lifecycle import Place
from live.models import Audience, Event
from studies.models import Study, StudyStatus
from tests.accounts.people import client_of, person
from tests.annotations import factories
from worklist import claims
from worklist.models import Claim
from worklist.reading_list import next_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return factories.study()


def url(study: Study) -> str:
    return f"/api/v1/studies/{study.uid}/claim/"


def _lapse(study: Study) -> None:
    Claim.objects.filter(study=study).update(renewed_at=timezone.now() - timedelta(hours=1))


def status_of(study: Study) -> str:
    return Study.objects.get(pk=study.pk).status


def test_a_free_study_is_claimed(study: Study) -> None:
    reader = person()
    answer = client_of(reader).post(url(study))
    assert answer.json()["claimed_by"]["username"] == reader.username
    assert status_of(study) == StudyStatus.READING


def test_a_claimed_study_is_not_claimed_again(study: Study) -> None:
    holder = person(first_name="Ida", last_name="Okafor")
    claims.take(study, holder)
    answer = client_of(person()).post(url(study))
    assert (answer.status_code, answer.json()["code"]) == (409, "claimed")
    assert answer.json()["claimed_by"]["display"] == "Ida Okafor"


def test_a_lapsed_claim_goes_to_the_next(study: Study) -> None:
    claims.take(study, person())
    _lapse(study)
    reader = person()
    assert client_of(reader).post(url(study)).status_code == 200
    assert Claim.objects.get(study=study).user == reader


def test_claiming_again_renews_without_an_event(study: Study) -> None:
    reader = person()
    since = claims.take(study, reader).since
    before = Event.objects.count()
    claims.take(study, reader)
    claim = Claim.objects.get(study=study)
    assert (claim.since, Event.objects.count()) == (since, before)
    assert claim.renewed_at > since


def test_a_claim_is_told_to_readers(study: Study) -> None:
    claims.take(study, person())
    event = Event.objects.get(kind="claim")
    assert (event.audience, event.study_uid) == (Audience.READERS, study.uid)


def test_one_gives_ones_own_claim_back(study: Study) -> None:
    reader = person()
    claims.take(study, reader)
    assert client_of(reader).delete(url(study)).status_code == 204
    assert (Claim.objects.exists(), status_of(study)) == (False, StudyStatus.WAITING)


def test_one_does_not_give_back_the_claim_of_another(study: Study) -> None:
    claims.take(study, person())
    assert client_of(person()).delete(url(study)).status_code == 409
    assert Claim.objects.exists()


def test_a_read_study_is_not_claimed(study: Study) -> None:
    factories.read(study)
    answer = client_of(person()).post(url(study))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_read")


def test_claims_that_nobody_renews_lapse(study: Study) -> None:
    claims.take(study, person())
    _lapse(study)
    assert claims.lapse() == 1
    assert (Claim.objects.exists(), status_of(study)) == (False, StudyStatus.WAITING)


def test_live_claims_do_not_lapse(study: Study) -> None:
    claims.take(study, person())
    assert claims.lapse() == 0


def test_the_commit_ends_the_claim(study: Study) -> None:
    reader = person()
    claims.take(study, reader)
    factories.read(study, reader)
    assert not Claim.objects.exists()


def test_a_restored_read_ends_the_claim_and_tells_it(study: Study, reader: User) -> None:
    factories.read(study, reader)
    lifecycle.reopen(Place(study, reader))
    claims.take(Study.objects.get(pk=study.pk), reader)
    Event.objects.all().delete()
    lifecycle.restore(Place(study, reader))
    assert not Claim.objects.exists()
    assert set(Event.objects.values_list("kind", "study_uid")) == {("claim", study.uid), ("read", study.uid)}


def test_a_reopened_read_leaves_the_claim_of_another(study: Study, reader: User) -> None:
    factories.read(study, reader)
    factories.clip(study)
    effects.revisit(factories.revision(Study.objects.get(pk=study.pk)))
    claims.take(Study.objects.get(pk=study.pk), person())
    lifecycle.reopen(Place(study, reader))
    assert (Claim.objects.count(), status_of(study)) == (1, StudyStatus.READING)


def test_the_next_study_is_the_first_in_the_order_that_nobody_else_has(reader: User) -> None:
    claimed, free, last = (factories.study(minutes=minutes) for minutes in (30, 20, 10))
    claims.take(claimed, person())
    assert next_study(reader, last) == free.uid
    assert lifecycle.next_study(reader, free) == last.uid


def test_the_last_study_has_no_next(reader: User, study: Study) -> None:
    assert next_study(reader, study) is None


@pytest.fixture
def reader() -> User:
    return person()


def test_late_images_bring_a_read_study_back(study: Study, reader: User) -> None:
    factories.read(study, reader)
    factories.clip(study)
    study.refresh_from_db()
    effects.revisit(factories.revision(study))
    assert status_of(study) == StudyStatus.WAITING


def test_late_images_that_the_reader_saw_bring_nothing_back(study: Study, reader: User) -> None:
    Place(study, reader).open()
    late = factories.clip(study)
    factories.read(study, reader, seen=[{"sop_uid": late.sop_uid, "frames": 3, "ms": 10}])
    study.refresh_from_db()
    effects.revisit(factories.revision(study))
    assert status_of(study) == StudyStatus.READ


def test_a_study_stays_in_the_list_while_there_are_images_that_its_reader_did_not_see(
    study: Study, reader: User
) -> None:
    Place(study, reader).open()
    claims.take(study, reader)
    factories.clip(study)
    factories.read(study, reader)
    assert (Claim.objects.exists(), status_of(study)) == (False, StudyStatus.WAITING)


def test_a_claim_by_what_the_study_was_does_not_undo_a_commit(study: Study, reader: User) -> None:
    """Both looked the study up while it waited; the commit came first."""
    factories.read(Study.objects.get(pk=study.pk))
    with pytest.raises(claims.AlreadyRead):
        claims.take(study, reader)
    assert (Claim.objects.exists(), status_of(study)) == (False, StudyStatus.READ)


def test_a_release_by_what_the_study_was_does_not_undo_a_commit(study: Study, reader: User) -> None:
    claims.take(study, reader)
    Study.objects.filter(pk=study.pk).update(status=StudyStatus.READ)
    claims.release(study, reader)
    assert (Claim.objects.exists(), status_of(study)) == (False, StudyStatus.READ)


def test_a_claim_that_lapses_while_a_commit_ends_does_not_undo_it(study: Study, reader: User) -> None:
    claims.take(study, reader)
    _lapse(study)
    expired = Claim.objects.get()
    Study.objects.filter(pk=study.pk).update(status=StudyStatus.READ)
    assert claims._lapse(expired)
    assert status_of(study) == StudyStatus.READ
