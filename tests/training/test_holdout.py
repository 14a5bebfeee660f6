"""The locked hold-out: in no fold, opened by the gate alone, every opening in the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import AuditEntry
from accounts.roles import Role
from inference.models import ModelVersion
from inference.registry import NotPromoted, champion, promote
from studies.models import Patient
from studies.patients.identity import merge
from tests.accounts.people import person
from tests.inference import factories
from tests.inference.factories import work
from tests.training.factories import cohort
from training import runs
from training.holdout import NotLocked, held_out, lock
from training.holdout_gate import NotOpened, open_holdout
from training.models import HoldOut, HoldOutOpening, RunStatus, TrainingRun
from training.preflight import everyone, preflight
from training.snapshots import freeze

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def holdout(model: ModelVersion) -> HoldOut:
    cohort(positive=7, negative=8)
    return lock(everyone(phantoms_only=True), phantoms_only=True, user=person(Role.ADMIN))


@pytest.fixture
def made(holdout: HoldOut, tmp_path: Path) -> ModelVersion:
    """A challenger of a run that could not see the hold-out."""
    return of_a_run(tmp_path)


def of_a_run(folder: Path) -> ModelVersion:
    made = factories.installed(folder / "second", champion=False, seed=2)
    snapshot = freeze(preflight())
    TrainingRun.objects.create(snapshot=snapshot, status=RunStatus.DONE, model=made)
    return made


def test_whoever_is_locked_away_is_in_no_fold(holdout: HoldOut) -> None:
    found = preflight()
    assert not {row.patient for row in found.rows} & set(holdout.patients)
    assert len(found.rows) == 15 - len(holdout.patients) == 13
    assert found.notes[:-2] == ["2 labelled studies are in the locked hold-out, which the gate alone opens."]


def test_it_is_made_once_and_never_changed(holdout: HoldOut) -> None:
    cohort(positive=5, negative=5)
    with pytest.raises(NotLocked, match="never changed"):
        lock(everyone(phantoms_only=True), phantoms_only=True)
    with pytest.raises(TypeError):
        holdout.save()
    with pytest.raises(TypeError):
        HoldOut.objects.update(patients=[])
    with pytest.raises(TypeError):
        holdout.delete()


@pytest.mark.parametrize(("positive", "reason"), [(5, "leave 4 for the folds"), (14, "have 2 positive patients")])
def test_one_that_could_say_nothing_or_starves_the_folds_is_not_made(
    model: ModelVersion, settings: Settings, positive: int, reason: str
) -> None:
    cohort(positive=positive, negative=8)
    settings.MIN_POSITIVES_PER_FOLD = 1 if positive == 5 else 3
    with pytest.raises(NotLocked, match=reason):
        lock(everyone(phantoms_only=True), phantoms_only=True)
    assert not HoldOut.objects.exists()


def test_a_twin_that_is_linked_later_is_locked_away_too(holdout: HoldOut) -> None:
    other = next(row.patient for row in preflight().rows if not row.positive)
    Patient.objects.filter(pk__in=[holdout.patients[0], other]).update(twin_group="T9")
    assert other not in {row.patient for row in preflight().rows}


def test_a_patient_that_is_merged_later_takes_the_other_along(holdout: HoldOut) -> None:
    inside = Patient.objects.get(pk=holdout.patients[0])
    other = Patient.objects.get(pk=next(row.patient for row in preflight().rows if not row.positive))
    merge(inside, other)
    assert held_out().holds(str(other.pk), other.group)
    assert other.pk not in {row.patient for row in preflight().rows}


def test_a_challenger_is_not_promoted_before_the_gate_opened_it(made: ModelVersion) -> None:
    with pytest.raises(NotPromoted, match="hold-out was not opened"):
        promote(made, user=person(Role.ADMIN), reason="It ranks better.")
    open_holdout(made)
    promote(made, user=person(Role.ADMIN), reason="It ranks better.")
    made.refresh_from_db()
    assert (champion(), made.promotion_reason) == (made, "It ranks better.")


def test_an_opening_is_logged_and_says_who_which_model_and_which_snapshot(made: ModelVersion) -> None:
    admin = person(Role.ADMIN)
    result = open_holdout(made, user=admin)
    one = HoldOutOpening.objects.get()
    assert (one.opened_by, one.model, one.snapshot) == (admin, made, TrainingRun.objects.get().snapshot.digest)
    assert AuditEntry.objects.get(action="holdout.opened").detail["model"] == made.digest
    assert (result.report["model"]["n"], result.report["model"]["n_positive"]) == (2, 1)
    best = champion()
    assert best is not None
    assert result.report["champion"]["digest"] == best.digest
    open_holdout(made, user=admin)
    assert HoldOutOpening.objects.count() == 2


def test_an_opening_that_crashes_is_in_the_log(made: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:

    def explode(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("training.holdout_gate.embed_clips", explode)
    with pytest.raises(MemoryError):
        open_holdout(made)
    assert HoldOutOpening.objects.count() == 1
    with pytest.raises(NotPromoted):
        promote(made, user=None, reason="It ranks better.")


def test_openings_are_only_added(made: ModelVersion) -> None:
    opening = open_holdout(made).opening
    with pytest.raises(TypeError):
        opening.delete()
    with pytest.raises(TypeError):
        HoldOutOpening.objects.update(snapshot="")
    with pytest.raises(TypeError):
        HoldOutOpening.objects.all().delete()


def test_a_model_that_saw_one_of_the_patients_is_refused_by_name(model: ModelVersion, tmp_path: Path) -> None:
    studies = cohort(positive=7, negative=8)
    made = of_a_run(tmp_path)
    holdout = lock(everyone(phantoms_only=True), phantoms_only=True)
    inside = [one.uid for one in studies if one.patient_id in holdout.patients]
    with pytest.raises(NotOpened, match=f"study {min(inside)} of patient"):
        open_holdout(made)
    assert not HoldOutOpening.objects.exists()
    assert AuditEntry.objects.get(action="holdout.opened").outcome == "refused"


def test_a_run_whose_snapshot_holds_a_locked_patient_fails_and_names_it(model: ModelVersion) -> None:
    cohort(positive=7, negative=8)
    run = runs.start(user=None)
    holdout = lock(everyone(phantoms_only=True), phantoms_only=True)
    work("train")
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "in the locked hold-out: study" in run.error
    assert f"of patient {holdout.patients[0]}" in run.error


def test_a_rollback_asks_for_no_opening(made: ModelVersion, model: ModelVersion) -> None:
    open_holdout(made)
    promote(made, user=None, reason="It ranks better.")
    promote(model, user=None, reason="Back.")
    assert champion() == model


def test_the_command_locks_opens_and_lists(
    model: ModelVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort(positive=7, negative=8)
    admin = person(Role.ADMIN)
    call_command("holdout", "lock", "--user", admin.username)
    made = of_a_run(tmp_path)
    call_command("holdout", "open", str(made.pk), "--user", admin.username)
    call_command("holdout", "log")
    printed = capsys.readouterr().out
    assert "2 phantoms, 1 of 2 linked groups positive. It is locked now." in printed
    assert "model: AUROC" in printed
    assert f"{admin.username} model {made.digest[:12]}" in printed
    with pytest.raises(CommandError, match="never changed"):
        call_command("holdout", "lock")
