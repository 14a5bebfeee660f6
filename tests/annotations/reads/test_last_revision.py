"""What was committed last, of one read and of many, by one rule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from accounts.models import User
from annotations.models import Read, ReadRevision
from annotations.reads.lifecycle import Place, reopen
from studies.models import Study
from tests.annotations import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def twice(study: Study, reader: User) -> ReadRevision:
    """Committed, reopened and committed with another answer."""
    place = Place(study, reader)
    factories.read(study, reader)
    reopen(place)
    return factories.commit_at(place, {"right": 2, "left": 0})


def test_the_second_commit_takes_the_place_of_the_first(twice: ReadRevision) -> None:
    assert (Read.objects.get().last_revision, twice.number) == (twice, 2)
    assert list(ReadRevision.objects.last_of_each()) == list(ReadRevision.objects.counting()) == [twice]


def test_a_reopened_read_counts_for_nothing_and_has_a_last_revision(
    twice: ReadRevision, study: Study, reader: User
) -> None:
    read = reopen(Place(study, reader))
    assert not ReadRevision.objects.counting().exists()
    assert read.last_revision == twice


def test_a_draft_has_none(study: Study, reader: User) -> None:
    Place(study, reader).open()
    assert [read.last_revision for read in Read.objects.with_last_revision()] == [None]
    assert Read.objects.get().last_revision is None


def test_many_reads_bring_theirs_in_one_more_query(
    twice: ReadRevision, study: Study, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    other = factories.read(study)
    with django_assert_num_queries(2):
        reads = Read.objects.order_by("pk").with_last_revision()
        assert [read.last_revision for read in reads] == [twice, other]
