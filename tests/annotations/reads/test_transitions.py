"""The table of a read's status: every pair of status and step is allowed, or refused with a sentence."""

from __future__ import annotations

import itertools

import pytest

from accounts.models import User
from annotations.models import Context, Read, ReadStatus
from annotations.reads.lifecycle import Place
from annotations.reads.transitions import NOT_AS_COMMITTED, REFUSALS, TRANSITIONS, NotOpen, Step, check, move, target
from studies.models import Study
from tests.annotations import factories

PAIRS = list(itertools.product(ReadStatus, Step))


@pytest.mark.parametrize(("status", "step"), PAIRS)
def test_only_the_pairs_of_the_table_are_allowed(status: ReadStatus, step: Step) -> None:
    if (status, step) in TRANSITIONS:
        assert target(status, step) == TRANSITIONS[(status, step)]
        return
    with pytest.raises(NotOpen, match=r"\.$"):
        target(status, step)


def test_every_pair_is_either_allowed_or_refused() -> None:
    assert set(TRANSITIONS) | set(REFUSALS) == set(PAIRS)
    assert set(TRANSITIONS) & set(REFUSALS) == set()


def test_a_read_counts_by_a_commit_or_as_it_was_committed_before() -> None:
    counted = {pair for pair, status in TRANSITIONS.items() if status == ReadStatus.COMMITTED != pair[0]}
    assert counted == {(ReadStatus.DRAFT, Step.COMMIT), (ReadStatus.DRAFT, Step.RESTORE)}


@pytest.mark.parametrize("step", [Step.REOPEN, Step.RESTORE, Step.AGREE])
def test_a_read_that_was_never_begun_takes_none_of_the_later_steps(step: Step) -> None:
    with pytest.raises(NotOpen, match=REFUSALS.get((ReadStatus.DRAFT, step), NOT_AS_COMMITTED)):
        check(None, step)


@pytest.mark.django_db
def test_who_moves_a_read_by_what_it_was_is_told_that_they_lost(study: Study, reader: User) -> None:
    stale = Place(study, reader, Context.TRIAGE).open()
    factories.read(study, reader)
    with pytest.raises(NotOpen, match="another window"):
        move(stale, Step.COMMIT)
    assert Read.objects.get(pk=stale.pk).status == ReadStatus.COMMITTED
