"""From a closed revision to exactly one answer, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from inference import embedding_cache
from inference.current_scores import current_score, score_payload
from inference.messages import DEMO_WARNING, REPLACED
from inference.models import Flag, ModelVersion, Score
from inference.scheduling import request_score
from jobs import queue
from jobs.models import Job, JobStatus, Queue
from jobs.transitions import Lost
from live.models import Event
from studies import decoding
from studies.frame_cache import FrameError
from studies.models import Clip, Priority
from studies.sandbox.pool import SandboxError
from tests.inference.factories import BUDGET, add_clip, close, installed, study, work

pytestmark = pytest.mark.django_db


def broken(*, lasting: bool = True, only: str = "") -> Any:
    """A decoder that fails, for one clip or for all."""
    from tests.inference.factories import frames_of

    def decode(clip: Clip, numbers: Sequence[int]) -> Any:
        if only and clip.sop_uid != only:
            return frames_of(clip, numbers)
        raise FrameError("Its pixels end too early.") from SandboxError("Its pixels end too early.", lasting=lasting)

    return decode


def test_a_closed_revision_is_scored_once(model: ModelVersion) -> None:
    revision = close(study())
    work()
    score = Score.objects.get(revision=revision)
    assert (score.model, score.flag) == (
        model,
        Flag.SUSPECTED if (score.probability or 0) >= 0.4 else Flag.NOT_SUSPECTED,
    )


def test_embeddings_of_an_older_way_of_decoding_are_not_used(
    model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = study()
    for version in (decoding.VERSION, decoding.VERSION + 1):
        monkeypatch.setattr(decoding, "VERSION", version)
        revision = close(made)
        work()
        assert Score.objects.get(revision=revision).inputs["cached_frames"] == 0
    revision = close(made)
    work()
    assert Score.objects.get(revision=revision).inputs["cached_frames"] == BUDGET


def test_attention_is_given_for_each_selected_frame_and_sums_to_one(model: ModelVersion) -> None:
    revision = close(study())
    work()
    weights = Score.objects.get(revision=revision).attention
    assert len(weights) == BUDGET
    assert sum(frame["weight"] for frame in weights) == pytest.approx(1, abs=1e-4)


def test_a_score_names_all_that_it_depends_on(model: ModelVersion) -> None:
    revision = close(study())
    work()
    inputs = Score.objects.get(revision=revision).inputs
    assert (inputs["model"], inputs["revision"], len(inputs["clips"])) == (model.digest, revision.digest, 3)
    assert {"backbone", "head", "preprocessing", "compute", "seconds"} <= inputs.keys()


def test_a_score_is_told_to_open_lists(model: ModelVersion) -> None:
    made = study()
    close(made)
    work()
    assert Event.objects.filter(kind="score", study_uid=made.uid).count() == 1


def test_asking_five_times_makes_one_score(model: ModelVersion) -> None:
    revision = close(study())
    for _ in range(5):
        request_score(revision, model, reopen=True)
        work()
    assert Score.objects.filter(revision=revision).count() == 1


def test_the_same_frames_give_the_same_bits_from_the_cache(model: ModelVersion) -> None:
    revision = close(study())
    work()
    first = Score.objects.get().logit
    Score.objects.all().delete()
    request_score(revision, model, reopen=True)
    work()
    again = Score.objects.get()
    assert (again.logit, again.inputs["cached_frames"]) == (first, BUDGET)


def test_a_stat_study_goes_to_the_front(model: ModelVersion) -> None:
    close(study(priority=Priority.STAT))
    assert Job.objects.get(kind="score").queue == Queue.STAT


def test_a_study_without_scorable_clips_says_why(model: ModelVersion) -> None:
    made = study(clips=())
    add_clip(made, frames=0, scorable=False, parked_reason="It is a report, not an image.")
    score = _score(made)
    assert (score.flag, score.flag_reason) == (
        "not_analysed",
        "No clip of this study can be scored: It is a report, not an image.",
    )


def test_too_few_frames_are_not_analysed(model: ModelVersion) -> None:
    assert _score(study(clips=(1, 1))).flag_reason == "Only 2 usable frames; at least 4 are needed."


def test_a_set_whose_picture_was_replaced_is_not_scored_as_what_it_was(model: ModelVersion) -> None:
    revision = close(study())
    Clip.objects.update(replaced_at=revision.closed_at + timedelta(seconds=1))
    work()
    score = Score.objects.get(revision=revision)
    assert (score.flag, score.flag_reason) == (Flag.NOT_ANALYSED, REPLACED)


def test_a_study_that_cannot_be_decoded_says_so(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_cache, "grey_frames", broken())
    assert _score(study()).flag_reason == "Its images could not be decoded: Its pixels end too early."


def test_one_broken_clip_is_left_out_and_named(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    made = study()
    bad = made.clips.filter(frames=1).first()
    assert bad is not None
    monkeypatch.setattr(embedding_cache, "grey_frames", broken(only=bad.sop_uid))
    score = _score(made)
    assert score.probability is not None
    assert score.inputs["left_out"] == {bad.sop_uid: "Its pixels end too early."}


def test_what_may_pass_is_tried_again_before_it_is_left_out(
    model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_cache, "grey_frames", broken(lasting=False))
    score = _score(study())
    assert (Job.objects.get(kind="score").attempts, score.flag) == (3, "not_analysed")


def test_three_failures_leave_the_study_listed_with_the_reason(
    model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: Any) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr(embedding_cache, "grey_frames", explode)
    score = _score(study())
    assert Job.objects.get(kind="score").status == JobStatus.QUARANTINED
    assert score.flag_reason.startswith("The AI failed 3 times on this study (MemoryError: out of memory).")


def test_a_quarantined_study_can_be_scored_again_by_hand(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(embedding_cache, "grey_frames", broken())
        made = study()
        _score(made)
    request_score(made.revisions.get(), model, reopen=True)
    work()
    assert Score.objects.get().probability is not None


def test_a_demo_model_says_beside_an_infant_that_it_means_nothing(model: ModelVersion) -> None:
    _score(infant := study(phantom=False))
    _score(phantom := study())
    models = [score_payload(each, with_attention=False, with_history=False)["model"] for each in (infant, phantom)]
    assert [model and model["demo_warning"] for model in models] == [DEMO_WARNING, None]


def test_in_production_a_demo_model_does_not_score_infants(model: ModelVersion, settings: Settings) -> None:
    settings.PHANTOM_MODEL_SCORES_PATIENTS = False
    score = _score(study(phantom=False))
    assert (score.flag, score.flag_reason, score.probability) == ("not_analysed", DEMO_WARNING, None)
    assert _score(study()).probability is not None


def test_a_model_spoilt_on_the_disk_is_refused_and_the_one_before_takes_over(
    model: ModelVersion, tmp_path: Path, settings: Settings
) -> None:
    second = installed(tmp_path / "second", seed=1)
    (settings.MODELS_FOLDER / second.folder / "head.safetensors").write_bytes(b"rubbish")
    score = _score(study())
    model.refresh_from_db()
    assert (score.model, model.state) == (model, "champion")


def test_without_any_whole_model_nothing_is_scored_and_nothing_is_lost(model: ModelVersion, settings: Settings) -> None:
    (settings.MODELS_FOLDER / model.folder / "manifest.json").write_text("{}")
    made = study()
    close(made)
    work()
    assert current_score(made) is None
    assert Job.objects.get(kind="score").status == JobStatus.DONE


def test_a_late_worker_cannot_write_a_second_answer(model: ModelVersion) -> None:
    revision = close(study())
    job = queue.claim(["routine"], "slow one")
    assert job is not None
    Job.objects.filter(pk=job.pk).update(lease_until="2020-01-01T00:00:00Z")
    queue.sweep()
    Job.objects.update(alone=False)
    work()
    with pytest.raises(Lost):
        queue.finish(job, lambda: pytest.fail("a late result was about to be written"))
    assert Score.objects.filter(revision=revision).count() == 1


def _score(of: Any) -> Score:
    revision = close(of)
    work()
    return Score.objects.get(revision=revision)
