"""The table of a study's status, and who wins where two move it at once."""

from __future__ import annotations

import itertools

import pytest
from django.utils import timezone

from studies.models import Study, StudyStatus
from studies.study_status import TRANSITIONS, Lost, NotAllowed, Step, lock, move, target
from tests.annotations import factories


@pytest.mark.parametrize(("status", "step"), list(itertools.product(StudyStatus, Step)))
def test_only_the_pairs_of_the_table_are_allowed(status: StudyStatus, step: Step) -> None:
    if (status, step) in TRANSITIONS:
        assert target(status, step) == TRANSITIONS[(status, step)]
        return
    with pytest.raises(NotAllowed):
        target(status, step)


def test_what_is_refused() -> None:
    """The table said a second time, from the other side: a new pair is a decision."""
    refused = {pair for pair in itertools.product(StudyStatus, Step) if pair not in TRANSITIONS}
    assert refused == {
        (StudyStatus.READ, Step.CLAIM),
        (StudyStatus.WAITING, Step.RETURN),
        (StudyStatus.READING, Step.RETURN),
    }


@pytest.mark.parametrize("status", list(StudyStatus))
def test_the_end_of_a_claim_never_brings_a_read_study_back_nor_ends_a_read(status: StudyStatus) -> None:
    assert (target(status, Step.RELEASE) == StudyStatus.READ) == (status == StudyStatus.READ)


@pytest.mark.django_db
def test_a_move_changes_the_row_and_the_object() -> None:
    study, now = factories.study(), timezone.now()
    move(study, Step.COMPLETE, read_at=now)
    row = Study.objects.get(pk=study.pk)
    assert (row.status, row.read_at) == (study.status, study.read_at) == (StudyStatus.READ, now)


@pytest.mark.django_db
def test_who_moves_a_study_by_what_it_was_is_told_that_they_lost() -> None:
    stale = factories.study()
    move(lock(stale.pk), Step.COMPLETE)
    with pytest.raises(Lost):
        move(stale, Step.CLAIM)
    assert Study.objects.get(pk=stale.pk).status == StudyStatus.READ
