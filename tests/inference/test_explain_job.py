"""Heat maps: after the score, of its heaviest frames, and only for those who may see attention."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inference.current_scores import score_payload
from inference.explain_job import TOP, _maps
from inference.models import Explanation, ModelVersion, Score
from jobs.models import Job, JobStatus
from studies.models import Clip
from tests.inference.factories import close, study, work

pytestmark = pytest.mark.django_db


def test_the_heaviest_frames_of_a_score_are_mapped(model: ModelVersion) -> None:
    revision = close(study())
    work()
    score = Score.objects.get(revision=revision)
    heaviest = sorted(score.attention, key=lambda entry: -entry["weight"])[:TOP]
    mapped = score.explanation.frames
    assert [(entry["sop_uid"], entry["frame"]) for entry in mapped] == [(e["sop_uid"], e["frame"]) for e in heaviest]
    assert all(0 <= value <= 1 for entry in mapped for row in entry["heat"] for value in row)


def test_maps_wait_behind_every_score(model: ModelVersion) -> None:
    first = close(study())
    work()
    close(study())
    ranks = dict(Job.objects.values_list("kind", "rank"))
    assert ranks["explain"] > ranks["score"]
    assert Explanation.objects.filter(score__revision=first).exists()


def test_a_score_that_was_asked_for_again_has_one_explanation(model: ModelVersion) -> None:
    close(study())
    work()
    work()
    assert Explanation.objects.count() == 1
    assert not Job.objects.exclude(status=JobStatus.DONE).exists()


def test_maps_go_with_attention_only(model: ModelVersion) -> None:
    made = study()
    close(made)
    work()
    assert score_payload(made, with_attention=False, with_history=True)["heat_maps"] is None
    maps = score_payload(made, with_attention=True, with_history=True)["heat_maps"]
    assert maps is not None
    assert len(maps["frames"]) == TOP


def test_a_study_that_was_not_analysed_has_none(model: ModelVersion) -> None:
    close(study(clips=(1,)))
    work()
    assert not Job.objects.filter(kind="explain").exists()


def test_neither_maps_nor_attention_of_an_earlier_picture_lie_over_a_new_one(model: ModelVersion) -> None:
    made = study()
    revision = close(made)
    work()
    before = score_payload(made, with_attention=True, with_history=False)
    assert before["heat_maps"] is not None
    replaced = before["heat_maps"]["frames"][0]["sop_uid"]
    Clip.objects.filter(sop_uid=replaced).update(replaced_at=revision.closed_at + timedelta(seconds=1))
    after = score_payload(made, with_attention=True, with_history=False)
    assert after["attention"] is not None
    assert after["heat_maps"] is not None
    assert after["attention"] == [entry for entry in before["attention"] or [] if entry["sop_uid"] != replaced]
    assert replaced not in {frame["sop_uid"] for frame in after["heat_maps"]["frames"]}


def test_a_score_whose_picture_was_replaced_is_not_mapped(model: ModelVersion) -> None:
    revision = close(study())
    work()
    Clip.objects.update(replaced_at=revision.closed_at + timedelta(seconds=1))
    assert _maps(Score.objects.get(revision=revision)) == []
