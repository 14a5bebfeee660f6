"""What was drawn in an infant's earlier study: to be seen while the later one is read, and never too early."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from annotations.models import Context
from annotations.reads.lifecycle import Answer, Place, reopen, save_draft
from studies.models import Study
from tests.annotations import factories
from tests.annotations.measurements.test_drawings import REGION, drawing

pytestmark = pytest.mark.django_db
HIDDEN = "Shown after your commit."
TO_LABEL = "You have yet to label this study."


@pytest.fixture
def prior() -> Study:
    """Examined nine days ago, and read: a length was drawn."""
    made = factories.study(minutes=9 * 24 * 60)
    made.clips.update(regions=[REGION])
    factories.read(made, right=0, left=0, drawings=[drawing(sop_uid=made.clips.get().sop_uid)])
    return made


@pytest.fixture
def later(prior: Study) -> Study:
    return factories.study(of=prior.patient)


def _ask(client: Client, user: User, reading: Study, other: Study) -> tuple[int, Any]:
    client.force_login(user)
    answer = client.get(f"/api/v1/studies/{reading.uid}/priors/{other.uid}/drawings/")
    return answer.status_code, answer.json()


def test_drawings_of_a_priors_read_come_with_their_reader_day_and_numbers(
    client: Client, reader: User, prior: Study, later: Study
) -> None:
    status, told = _ask(client, reader, later, prior)
    (length,) = told["drawings"]
    assert (status, length["measured"]["value"], told["hidden"]) == (200, 20.0, "")
    assert told["reader"] == prior.reads.get().reader.display
    assert datetime.fromisoformat(told["committed_at"]) == prior.reads.get().revisions.get().committed_at


def test_looking_at_them_is_on_record(client: Client, reader: User, prior: Study, later: Study) -> None:
    _ask(client, reader, later, prior)
    entry = AuditEntry.objects.get(action="prior.drawings_viewed")
    assert (entry.study_uid, entry.user) == (prior.uid, reader)


def test_a_draft_is_nobodys_but_its_readers(client: Client, reader: User, prior: Study, later: Study) -> None:
    assert len(_ask(client, reader, later, prior)[1]["drawings"]) == 1
    reopen(Place(prior, prior.reads.get().reader))
    assert _ask(client, reader, later, prior)[1]["drawings"] == []


def test_the_study_that_is_read_is_no_prior_of_itself(client: Client, reader: User, prior: Study) -> None:
    assert _ask(client, reader, prior, prior)[0] == 404


def test_another_infants_study_is_no_prior(client: Client, reader: User, prior: Study) -> None:
    assert _ask(client, reader, factories.study(), prior)[0] == 404


def test_whoever_has_begun_to_read_the_prior_sees_nothing_of_others_before_their_commit(
    client: Client, reader: User, prior: Study, later: Study
) -> None:
    place = Place(prior, reader, Context.TRIAGE, None)
    save_draft(place, Answer(factories.NEGATIVE, "", 0))
    told = _ask(client, reader, later, prior)[1]
    assert (told["drawings"], told["reader"], told["hidden"]) == ([], "", HIDDEN)
    factories.commit_at(place, {})
    assert _ask(client, reader, later, prior)[1]["hidden"] == ""


def test_the_timeline_keeps_to_the_same_rule(client: Client, reader: User, prior: Study, later: Study) -> None:
    save_draft(Place(prior, reader, Context.TRIAGE, None), Answer(factories.NEGATIVE, "", 0))
    client.force_login(reader)
    first = client.get(f"/api/v1/studies/{later.uid}/timeline/").json()["studies"][0]
    assert (first["read"], first["hidden"]) == (None, HIDDEN)


@pytest.mark.parametrize("queued", ["prior", "later"])
def test_whoever_has_yet_to_label_one_of_the_two_sees_no_drawings(
    client: Client, reader: User, prior: Study, later: Study, queued: str
) -> None:
    factories.queue({"prior": prior, "later": later}[queued], readers=[reader])
    told = _ask(client, reader, later, prior)[1]
    assert (told["drawings"], told["reader"], told["hidden"]) == ([], "", TO_LABEL)
