"""One training run: from the button to a challenger, or to the reason why not."""

from __future__ import annotations

from threading import Event as Flag
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import AuditEntry
from accounts.roles import Role
from annotations.models import ReadRevision
from inference.models import ModelState, ModelVersion, Score
from inference.registry import champion, manifest_of, promote
from inference.scheduling import request_score
from jobs import queue
from jobs.heartbeat import Heartbeat
from jobs.models import Job, JobStatus
from jobs.runner import Runner
from jobs.transitions import Lost
from live.models import Event
from tests.accounts.people import client_of, person
from tests.inference.factories import study, work
from tests.training.factories import cohort, label
from training import runs
from training import train_job as training_work
from training.models import RunStatus, TrainingRun
from training.preflight import preflight
from training.prevalence import site_prevalence

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
URL = "/api/v1/training-runs/"


@pytest.fixture
def labelled(model: ModelVersion) -> list[Any]:
    return cohort(positive=5, negative=6)


def started() -> TrainingRun:
    return runs.start(user=person(Role.ADMIN))


def trained() -> TrainingRun:
    run = started()
    work("train")
    run.refresh_from_db()
    return run


def test_a_run_ends_with_a_report_and_a_challenger(labelled: list[Any]) -> None:
    run = trained()
    assert (run.status, run.error) == (RunStatus.DONE, "")
    assert run.model is not None
    assert run.model.state == ModelState.CHALLENGER
    assert {"auroc", "pr_auc", "operating_points", "curves", "calibration", "folds"} <= run.report.keys()
    assert run.report["snapshot"] == run.snapshot.digest


def test_the_challenger_says_what_it_was_trained_on(labelled: list[Any], model: ModelVersion) -> None:
    made = trained().model
    assert made is not None
    manifest = manifest_of(made)
    assert (manifest.trained_on.kind, manifest.trained_on.patients, manifest.trained_on.positives) == (
        "phantoms",
        11,
        5,
    )
    assert manifest.trained_on.snapshot == TrainingRun.objects.get().snapshot.digest
    assert manifest.backbone_digest == model.manifest["backbone_digest"]
    assert manifest.head_kind == "fontanelle"


def test_the_champion_stays_until_an_admin_promotes(labelled: list[Any], model: ModelVersion) -> None:
    made = trained().model
    assert champion() == model
    assert made is not None
    promote(made, user=person(Role.ADMIN), reason="It ranks better.")
    work()
    assert Score.objects.filter(model=made).count() == len(labelled)


def test_scoring_with_the_challenger_decodes_nothing_again(labelled: list[Any]) -> None:
    made = trained().model
    assert made is not None
    Job.objects.filter(kind="score").delete()
    request_score(labelled[0].revisions.get(), made)
    work()
    assert Score.objects.get(model=made).inputs["cached_frames"] == 4


def test_readers_keyframes_teach_the_heads(labelled: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    clip = labelled[0].revisions.get().clips.get()
    first = ReadRevision.objects.get(read__study=labelled[0])
    findings = first.findings | {"keyframes": [{"sop_uid": clip.sop_uid, "frame": 3}]}
    kept = {name: getattr(first, name) for name in ("read", "schema", "positive", "definition", "committed_at")}
    ReadRevision.objects.create(**kept, number=2, findings=findings, idempotency_key="again")
    seen: list[Any] = []

    def look(bags: Any, **_: Any) -> None:
        seen.append(bags)
        raise training_work.Unfit("seen enough")

    monkeypatch.setattr(training_work, "cross_validate", look)
    trained()
    at = seen[0].uids.tolist().index(labelled[0].uid)
    assert [one.tolist() for one in seen[0].keyframes].count([-1] * 4) == len(labelled) - 1
    assert seen[0].keyframes[at].tolist() == [-1, -1, 1, -1]


def test_a_keyframe_marks_the_nearest_frame_that_the_model_looks_at() -> None:
    frames = [("a", 5), ("a", 15), ("b", 5)]
    assert training_work.nearest(frames, [("a", 13), ("c", 5)]).tolist() == [-1, 1, -1]
    assert training_work.nearest([("a", 5), ("a", 7)], [("a", 6)]).tolist() == [1, -1]


def test_a_keyframe_far_from_every_frame_in_the_bag_teaches_nothing() -> None:
    assert training_work.nearest([("a", 5), ("a", 15)], [("a", 10), ("a", 18)]).tolist() == [-1, -1]
    assert training_work.nearest([("a", 5)], [("a", 5 + training_work.KEYFRAME_REACH)]).tolist() == [1]


def test_a_run_shows_how_far_it_is(labelled: list[Any]) -> None:
    run = trained()
    assert (run.progress["fraction"], len(run.progress["fold_rows"])) == (1.0, 5)
    assert Event.objects.filter(kind="run", run_id=run.pk, audience="admins").count() >= 4


def test_progress_is_told_at_most_twice_a_second(labelled: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(number / 100 for number in range(10_000))
    told: list[Any] = []
    context: Any = type("Context", (), {"progress": lambda self, facts: told.append(facts)})()
    monkeypatch.setattr("training.train_job.time.monotonic", lambda: 100 + next(moments))
    writer = training_work.ProgressWriter(started(), context)
    for number in range(100):
        writer.write({"step": number})
    assert len(told) <= 4


def test_a_waiting_run_is_cancelled_at_once(labelled: list[Any]) -> None:
    run = started()
    assert runs.cancel(run, user=None)
    assert run.status == RunStatus.CANCELLED


def test_a_running_run_stops_when_asked_and_leaves_no_model(
    labelled: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started()
    plain = training_work._clips

    def cancel_meanwhile(row: Any) -> Any:
        runs.cancel(TrainingRun.objects.get(), user=None)
        return plain(row)

    monkeypatch.setattr(training_work, "_clips", cancel_meanwhile)
    monkeypatch.setattr("jobs.job_context.LOOK_SECONDS", 0.0)
    work("train")
    run.refresh_from_db()
    assert (run.status, run.model, ModelVersion.objects.count()) == (RunStatus.CANCELLED, None, 1)


def test_a_run_that_a_worker_has_taken_says_so_before_its_libraries_are_loaded(labelled: list[Any]) -> None:
    run = started()
    queue.claim(["train"], "a worker")
    run.refresh_from_db()
    assert (run.status, run.started_at is not None) == (RunStatus.RUNNING, True)


def test_a_run_is_cancelled_at_once_while_its_worker_loads_the_libraries(labelled: list[Any]) -> None:
    run = started()
    job = queue.claim(["train"], "a worker")
    assert job
    assert runs.cancel(run, user=None)
    assert (run.status, Job.objects.get(pk=job.pk).status) == (RunStatus.CANCELLED, JobStatus.CANCELLED)
    Runner(Heartbeat("a worker", []), Flag()).run(job)
    run.refresh_from_db()
    assert (run.status, run.model, ModelVersion.objects.count()) == (RunStatus.CANCELLED, None, 1)


def test_after_a_cancel_the_next_run_may_start_at_once(labelled: list[Any]) -> None:
    first = started()
    queue.claim(["train"], "a worker")
    runs.cancel(first, user=None)
    assert started().status == RunStatus.QUEUED


def test_the_preflight_says_that_a_run_goes_on(labelled: list[Any]) -> None:
    run = started()
    found = client_of(person(Role.ADMIN)).get("/api/v1/training-runs/preflight/").json()
    assert (found["ok"], found["reasons"]) == (False, [f"Run {run.pk} is going on. Wait for it, or cancel it."])
    runs.cancel(run, user=None)
    assert preflight().ok


def test_a_worker_that_comes_late_does_not_begin_a_run_that_has_ended(labelled: list[Any]) -> None:
    run = started()
    late = TrainingRun.objects.get()
    runs.cancel(run, user=None)
    with pytest.raises(Lost):
        runs.begin(late)
    assert TrainingRun.objects.get().status == RunStatus.CANCELLED


def test_a_run_that_has_ended_cannot_be_cancelled(labelled: list[Any]) -> None:
    run = started()
    runs.cancel(run, user=None)
    answer = client_of(person(Role.ADMIN)).post(f"{URL}{run.pk}/cancel/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_ended")


def test_a_run_that_fails_three_times_says_why(labelled: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr(training_work, "cross_validate", explode)
    run = trained()
    assert (run.status, run.error) == (RunStatus.FAILED, "The run failed 3 times: MemoryError: out of memory")


def test_a_run_whose_images_changed_since_the_snapshot_fails_at_once(labelled: list[Any]) -> None:
    run = started()
    labelled[0].revisions.update(digest="0" * 64)
    work("train")
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "no longer what the snapshot names" in run.error
    assert Job.objects.get(kind="train").status == JobStatus.DONE


def test_a_run_done_again_after_a_death_makes_the_same_model(labelled: list[Any]) -> None:
    first = trained().model
    assert first is not None
    TrainingRun.objects.update(model=None, status=RunStatus.RUNNING)
    first.delete()
    Job.objects.filter(kind="train").update(status=JobStatus.QUEUED)
    work("train")
    again = TrainingRun.objects.get().model
    assert again is not None
    assert again.digest == first.digest


def test_the_button_starts_a_run_and_leaves_an_audit_entry(labelled: list[Any]) -> None:
    answer = client_of(person(Role.ADMIN)).post(URL, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert AuditEntry.objects.filter(action="training_run.started").count() == 1


def test_only_one_run_goes_on_at_a_time(labelled: list[Any]) -> None:
    started()
    answer = client_of(person(Role.ADMIN)).post(URL, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_going")


def test_too_few_positives_start_nothing_and_say_how_many_are_missing(model: ModelVersion) -> None:
    cohort(positive=2, negative=6)
    answer = client_of(person(Role.ADMIN)).post(URL, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_few")
    assert answer.json()["detail"] == "5 positive infants are needed, 2 are labelled: 3 are missing."
    assert not TrainingRun.objects.exists()


def test_the_command_says_the_same(model: ModelVersion) -> None:
    cohort(positive=2, negative=6)
    with pytest.raises(CommandError, match="3 are missing"):
        call_command("retrain")


def test_without_a_model_there_is_nothing_to_start_from(db: None) -> None:
    cohort(positive=5, negative=5)
    with pytest.raises(runs.NotStarted, match="No model is installed"):
        started()


def test_the_command_waits_and_prints_what_was_measured(labelled: list[Any], capsys: Any) -> None:
    call_command("retrain", "--wait")
    printed = capsys.readouterr().out
    assert "target_0.90 sensitivity" in printed
    assert "is a challenger now; research use only" in printed


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR])
def test_training_is_the_admins(labelled: list[Any], role: Role) -> None:
    client = client_of(person(role))
    assert {
        client.get(URL).status_code,
        client.post(URL, {}, content_type="application/json").status_code,
        client.get("/training/").status_code,
    } == {403}


def test_a_list_of_runs_carries_no_curves(labelled: list[Any]) -> None:
    run = trained()
    client = client_of(person(Role.ADMIN))
    assert "curves" not in client.get(URL).json()[0]["report"]
    assert "curves" in client.get(f"{URL}{run.pk}/").json()["report"]


def test_what_production_would_not_analyse_neither_trains_nor_measures(labelled: list[Any]) -> None:
    """Its positives count as missed, and every promise says so."""
    few = label(study(clips=(3,)), positive=True, reader=person(Role.RADIOLOGIST))
    run = trained()
    assert [(one["study_uid"], one["positive"]) for one in run.report["left_out"]] == [(few.uid, True)]
    assert (run.report["n"], run.report["n_positive"]) == (11, 5)
    caught = run.report["operating_points"]["youden"]["sensitivity"]["pooled"]
    assert run.report["sensitivity_of_all"]["youden"] == pytest.approx(caught * 5 / 6)
    assert run.model is not None
    points = run.model.manifest["operating_points"].values()
    assert all("1 of 6 positive ones here could not be" in point["promise"] for point in points)


def test_a_run_calibrates_to_the_sites_prevalence(labelled: list[Any], settings: Settings) -> None:
    settings.SITE_PREVALENCE = 0.058
    run = trained()
    assert run.prevalence == site_prevalence(phantoms_only=True)
    assert run.report["deployed"]["prevalence"] == 0.058
    assert set(run.report["deployed"]["in_use"]) == set(run.report["operating_points"])
