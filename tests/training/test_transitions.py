"""The table of a run's transitions, over every pair of status and step."""

from __future__ import annotations

import itertools

import pytest

from jobs.transitions import Lost, NotAllowed
from training.models import RunStatus, Snapshot, TrainingRun
from training.transitions import TRANSITIONS, UNFINISHED, RunStep, move, target


@pytest.fixture
def run(db: None) -> TrainingRun:
    snapshot = Snapshot.objects.create(rows=[], studies=0, patients=0, positives=0, phantoms_only=True)
    return TrainingRun.objects.create(snapshot=snapshot)


@pytest.mark.parametrize(("status", "step"), list(itertools.product(RunStatus, RunStep)))
def test_a_run_moves_by_the_pairs_of_the_table_and_by_no_other(
    status: RunStatus, step: RunStep, run: TrainingRun
) -> None:
    TrainingRun.objects.update(status=status)
    run.refresh_from_db()
    if (after := TRANSITIONS.get((status, step))) is None:
        with pytest.raises(NotAllowed):
            move(run, step)
    else:
        move(run, step)
    run.refresh_from_db()
    assert run.status == (after or status)


def test_every_status_but_the_first_can_be_reached() -> None:
    assert set(TRANSITIONS.values()) == set(RunStatus) - {RunStatus.QUEUED}


def test_what_has_ended_stays_as_it_is() -> None:
    assert {status for status, _ in TRANSITIONS} == set(UNFINISHED)


def test_an_unknown_pair_says_what_cannot_happen() -> None:
    with pytest.raises(NotAllowed, match="a done run cannot begin"):
        target(RunStatus.DONE, RunStep.BEGIN)


def test_the_second_of_two_that_move_a_run_has_lost(run: TrainingRun) -> None:
    late = TrainingRun.objects.get()
    move(run, RunStep.CANCEL)
    with pytest.raises(Lost):
        move(late, RunStep.BEGIN)
