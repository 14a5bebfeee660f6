"""Installing, promoting and refusing models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import AuditEntry, User
from accounts.roles import Role
from inference import registry
from inference.core.manifest import BadModel
from inference.models import ModelState, ModelVersion, Score
from jobs.models import Job
from live.models import Event
from studies.models import Study, StudyStatus
from tests.accounts.people import client_of, person
from tests.inference.factories import close, installed, study, work, write_folder

pytestmark = pytest.mark.django_db


def promote(user: User | None, model: ModelVersion, **body: Any) -> Any:
    return client_of(user).post(f"/api/v1/models/{model.pk}/promote/", body, content_type="application/json")


def test_the_same_folder_twice_is_one_model(model: ModelVersion, tmp_path: Path) -> None:
    assert registry.install(tmp_path / "first") == model
    assert ModelVersion.objects.count() == 1


def test_what_was_installed_scores_whatever_becomes_of_its_folder(model: ModelVersion, tmp_path: Path) -> None:
    (tmp_path / "first" / "manifest.json").unlink()
    assert registry.manifest_of(model).name == "tiny0"


@pytest.mark.parametrize("name", ["head.safetensors", "backbone.safetensors", "manifest.json"])
def test_a_corrupt_file_is_refused_audited_and_changes_nothing(model: ModelVersion, tmp_path: Path, name: str) -> None:
    write_folder(tmp_path / "bad", seed=2)
    path = tmp_path / "bad" / name
    path.write_bytes(path.read_bytes()[:-7] + b"rubbish")
    with pytest.raises(BadModel):
        registry.install(tmp_path / "bad")
    assert AuditEntry.objects.get(action="model.installed", outcome="refused").detail["reason"]
    assert registry.champion() == model


def test_a_pickle_beside_the_weights_is_refused(model: ModelVersion, tmp_path: Path) -> None:
    write_folder(tmp_path / "bad", seed=2)
    (tmp_path / "bad" / "model.pt").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(CommandError, match="refused"):
        call_command("install_model", tmp_path / "bad")


def test_the_demo_model_triages_when_no_other_does(db: None, settings: Settings) -> None:
    write_folder(settings.DEMO_MODEL_FOLDER)
    model = registry.ensure_demo_model()
    assert model is not None
    assert (model.state, model.trained_on_phantoms) == (ModelState.CHAMPION, True)


def test_the_demo_model_never_displaces_a_champion(model: ModelVersion, settings: Settings) -> None:
    write_folder(settings.DEMO_MODEL_FOLDER, seed=3)
    assert registry.ensure_demo_model() == model
    assert ModelVersion.objects.count() == 2


def test_without_a_demo_model_nothing_breaks(db: None) -> None:
    assert registry.ensure_demo_model() is None


def test_a_spoilt_demo_model_is_refused_and_nothing_breaks(db: None, settings: Settings) -> None:
    write_folder(settings.DEMO_MODEL_FOLDER)
    (settings.DEMO_MODEL_FOLDER / "backbone.safetensors").write_bytes(b"rubbish")
    assert registry.ensure_demo_model() is None


def test_an_admin_promotes_with_a_reason_and_the_one_before_retires(model: ModelVersion, tmp_path: Path) -> None:
    second = installed(tmp_path / "second", seed=1, champion=False)
    assert promote(person(Role.ADMIN), second, reason="It ranks better.").status_code == 200
    model.refresh_from_db()
    assert (registry.champion(), model.state) == (second, ModelState.RETIRED)
    assert AuditEntry.objects.filter(action="model.promoted", detail__reason="It ranks better.").exists()


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR])
def test_nobody_but_an_admin_promotes_or_sees_models(model: ModelVersion, tmp_path: Path, role: Role) -> None:
    second = installed(tmp_path / "second", seed=1, champion=False)
    user = person(role)
    assert promote(user, second, reason="I would like to.").status_code == 403
    assert client_of(user).get("/api/v1/models/").status_code == 403
    assert registry.champion() == model


def test_an_admin_sees_the_models(model: ModelVersion) -> None:
    models = client_of(person(Role.ADMIN)).get("/api/v1/models/").json()
    assert [(row["name"], row["state"]) for row in models] == [("tiny0 1", "champion")]


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_promotion_without_a_reason_is_refused(model: ModelVersion, tmp_path: Path, reason: str) -> None:
    second = installed(tmp_path / "second", seed=1, champion=False)
    assert promote(person(Role.ADMIN), second, reason=reason).status_code == 400
    assert registry.champion() == model


def test_the_champion_cannot_be_promoted_again(model: ModelVersion) -> None:
    answer = promote(person(Role.ADMIN), model, reason="Once more.")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_promoted")


def test_a_model_spoilt_since_it_was_installed_is_not_promoted(
    model: ModelVersion, tmp_path: Path, settings: Settings
) -> None:
    second = installed(tmp_path / "second", seed=1, champion=False)
    (settings.MODELS_FOLDER / second.folder / "head.safetensors").write_bytes(b"rubbish")
    assert promote(person(Role.ADMIN), second, reason="It ranks better.").status_code == 409
    assert registry.champion() == model
    assert AuditEntry.objects.filter(action="model.promoted", outcome="refused").count() == 1


def test_a_promotion_scores_every_study_again_unread_ones_first(model: ModelVersion, tmp_path: Path) -> None:
    close(read := study())
    close(unread := study())
    work()
    Study.objects.filter(pk=read.pk).update(status=StudyStatus.READ)
    second = installed(tmp_path / "second", seed=1)
    work()
    again = Score.objects.filter(model=second).order_by("created_at").values_list("revision__study__uid", flat=True)
    assert list(again) == [unread.uid, read.uid]


def test_a_new_study_does_not_wait_behind_a_rescoring(model: ModelVersion) -> None:
    from inference.scheduling import READ_AGAIN, request_score
    from jobs import queue

    old = close(study())
    Job.objects.all().delete()
    request_score(old, model, rank=READ_AGAIN)
    new = close(study())
    job = queue.claim(["routine"], "somebody")
    assert job is not None
    assert job.payload["revision"] == new.pk


def test_promoting_the_one_before_is_the_rollback(model: ModelVersion, tmp_path: Path) -> None:
    installed(tmp_path / "second", seed=1)
    assert promote(person(Role.ADMIN), model, reason="Roll back.").status_code == 200
    assert registry.champion() == model


def test_open_pages_hear_of_a_promotion(model: ModelVersion) -> None:
    assert {"model", "ai"} <= set(Event.objects.values_list("kind", flat=True))
