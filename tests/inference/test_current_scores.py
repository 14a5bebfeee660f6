"""What lists and pages ask of the scores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

from inference.current_scores import ai_state, current_score, current_scores, pending, score_payload
from inference.models import ModelVersion, Score
from jobs.clock import database_now
from jobs.models import Job, Queue, WorkerHeartbeat
from studies.models import Study
from tests.inference.factories import add_clip, close, study, work

pytestmark = pytest.mark.django_db


def answer(of: Study, model: ModelVersion, flag: str, probability: float | None) -> Score:
    """An answer of the model to a new revision."""
    revision = close(of)
    return Score.objects.create(
        revision=revision, model=model, flag=flag, probability=probability, created_at=database_now()
    )


def heartbeat(*queues: str, seconds_ago: float = 0) -> None:
    now = database_now()
    at = now - timedelta(seconds=seconds_ago)
    WorkerHeartbeat.objects.create(worker="w", queues=list(queues), started_at=at, seen_at=at)


def test_a_study_without_a_score_has_no_answer(model: ModelVersion) -> None:
    assert current_score(study()) is None


def test_the_newest_revision_counts(model: ModelVersion) -> None:
    made = study()
    answer(made, model, "not_suspected", 0.1)
    answer(made, model, "suspected", 0.9)
    score = current_score(made)
    assert score is not None
    assert (score.flag, score.revision, score.probability) == ("suspected", 2, 0.9)


def test_a_later_revision_never_silently_lowers_a_flag(model: ModelVersion) -> None:
    made = study()
    answer(made, model, "suspected", 0.9)
    answer(made, model, "not_suspected", 0.1)
    score = current_score(made)
    assert score is not None
    assert (score.flag, score.flag_reason) == ("suspected", "Suspected on revision 1; revision 2: not suspected.")


def test_a_list_of_many_takes_as_many_queries_as_one_of_few(
    model: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        answer(study(), model, "suspected", 0.8)
    with django_assert_num_queries(2):
        assert len(current_scores(Study.objects.all())) == 12


def test_a_score_is_pending_from_the_last_image_to_the_answer(model: ModelVersion) -> None:
    made = study()
    assert pending(made)
    close(made)
    made.refresh_from_db()
    assert pending(made)
    work()
    assert not pending(made)


def test_the_payload_keeps_attention_and_history_back_unless_asked(model: ModelVersion) -> None:
    close(made := study())
    work()
    hidden = score_payload(made, with_attention=False, with_history=False)
    shown = score_payload(made, with_attention=True, with_history=True)
    assert (hidden["attention"], hidden["history"]) == (None, None)
    assert (len(shown["attention"] or ()), len(shown["history"] or ())) == (6, 1)
    assert hidden.keys() == shown.keys() == score_payload(study(), with_attention=True, with_history=True).keys()


def test_without_a_model_the_ai_is_down_in_plain_words(db: None) -> None:
    heartbeat("stat", "routine")
    assert ai_state() == {
        "state": "down",
        "message": "No model is installed, so nothing is scored. The list is in clinical order; no study is hidden "
        "or delayed.",
    }


@pytest.mark.parametrize(
    ("queues", "seconds", "state"),
    [(["stat", "routine"], 1, "ok"), (["stat", "routine"], 16, "down"), (["train"], 1, "down")],
)
def test_the_ai_is_up_while_a_triage_worker_was_seen_within_15_seconds(
    model: ModelVersion, queues: list[str], seconds: float, state: str
) -> None:
    heartbeat(*queues, seconds_ago=seconds)
    assert ai_state()["state"] == state


def test_the_ai_is_down_when_work_waits_and_none_is_begun(model: ModelVersion) -> None:
    heartbeat("stat", "routine")
    due = database_now() - timedelta(minutes=3)
    Job.objects.create(kind="score", key="stuck", queue=Queue.ROUTINE, run_after=due, created_at=due)
    assert "stuck" in ai_state()["message"]


def test_the_command_scores_what_it_is_asked_for_and_prints_it(model: ModelVersion, capsys: Any) -> None:
    made = study()
    add_clip(made, frames=2)
    call_command("score", made.uid, "--wait")
    assert f"{made.uid} revision 1:" in capsys.readouterr().out
    assert current_score(made) is not None
