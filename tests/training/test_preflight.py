"""What a run would use, and what is missing, in words."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.roles import Role
from annotations.models import Context, LabelQueue, QueueItem
from annotations.reads.lifecycle import Place
from inference.models import ModelVersion
from studies.models import Clip, Patient, Study
from tests.accounts.people import client_of, person
from tests.annotations import factories as annotated
from tests.inference.factories import add_clip, close, study, work
from tests.training.factories import cohort, label
from training import runs
from training.core.crossval import NO_PROMISE
from training.preflight import preflight
from training.snapshots import freeze

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


def test_too_few_positives_are_counted_out(settings: Settings) -> None:
    settings.MIN_POSITIVES_PER_FOLD = 5
    cohort(positive=7, negative=25)
    found = preflight()
    assert found.reasons == ["25 positive infants are needed, 7 are labelled: 18 are missing."]
    assert (found.ok, found.missing_positives) == (False, 18)


def test_one_missing_infant_is_said_in_the_singular() -> None:
    cohort(positive=4, negative=5)
    assert preflight().reasons == ["5 positive infants are needed, 4 are labelled: 1 is missing."]


def test_an_infant_counts_once_however_many_studies_it_has() -> None:
    cohort(positive=4, negative=5)
    again = Patient.objects.first()
    cohort(positive=3, negative=0, patient=again)
    assert preflight().missing_positives == 1


def test_enough_infants_of_both_kinds_make_folds_with_positives_in_each() -> None:
    cohort(positive=5, negative=6)
    found = preflight()
    assert found.ok
    assert [row["positives"] for row in found.folds] == [1] * 5


def test_twins_stay_in_one_fold() -> None:
    made = cohort(positive=6, negative=12)
    twins = [made[0].patient_id, made[10].patient_id]
    Patient.objects.filter(pk__in=twins).update(twin_group="T1")
    folds = {row.fold for row in preflight().rows if row.patient in twins}
    assert len(folds) == 1


@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shared=st.lists(st.integers(0, 13), max_size=8))
def test_no_fold_ever_parts_a_patient(shared: list[int]) -> None:
    made = cohort(positive=7, negative=7)
    for place in shared:
        Study.objects.filter(pk=made[place].pk).update(patient=made[(place * 3) % 14].patient_id)
    folds: dict[str, set[int]] = defaultdict(set)
    for row in preflight().rows:
        folds[row.group].add(row.fold)
    assert all(len(where) == 1 for where in folds.values())


def test_phantoms_and_infants_are_never_mixed() -> None:
    cohort(positive=5, negative=5, phantom=True)
    cohort(positive=1, negative=1, phantom=False)
    found = preflight()
    assert (len(found.rows), found.phantoms_only) == (10, True)
    assert found.notes[:-2] == ["2 labelled studies of infants are left out: phantoms and infants are not mixed."]


def test_infants_are_preferred_once_there_are_enough_of_them() -> None:
    cohort(positive=5, negative=5, phantom=True)
    cohort(positive=5, negative=5, phantom=False)
    assert not preflight().phantoms_only


@pytest.mark.parametrize(("frames", "scorable"), [(0, False), (0, True), (4, False)])
def test_a_study_without_scorable_clips_is_left_out(frames: int, scorable: bool) -> None:
    cohort(positive=5, negative=5)
    empty = study(clips=())
    add_clip(empty, frames=frames, scorable=scorable)
    label(empty, positive=True, reader=person(Role.RADIOLOGIST))
    found = preflight()
    assert empty.uid not in {row.study_uid for row in found.rows}
    assert found.notes[:-2] == ["1 labelled studies have no scorable images and are left out."]


def test_a_snapshot_is_named_by_what_it_holds() -> None:
    cohort(positive=5, negative=5)
    first, second = freeze(preflight()), freeze(preflight())
    assert (first, first.studies, first.positives) == (second, 10, 5)
    cohort(positive=0, negative=1)
    assert freeze(preflight()).digest != first.digest


def test_an_admin_sees_the_preflight_and_nobody_else_does() -> None:
    url = "/api/v1/training-runs/preflight/"
    assert client_of(person(Role.ADMIN)).get(url).json()["missing_positives"] == 5
    assert client_of(person(Role.RADIOLOGIST)).get(url).status_code == 403


def test_labels_of_a_queue_by_somebody_who_had_seen_the_flag_are_counted() -> None:
    reader, seen, unseen = person(Role.RADIOLOGIST), annotated.study(), annotated.study()
    Clip.objects.update(scorable=True)
    annotated.scored(seen)
    client_of(reader).get("/api/v1/worklist/")
    annotated.queue(seen, unseen, readers=[reader], readers_per_study=1)
    for each in (seen, unseen):
        place = Place(each, reader, Context.QUEUE, annotated.item(each))
        annotated.commit_at(place, {"left": 2})
    found = preflight()
    assert (len(found.rows), found.as_json()["not_blind"]) == (2, 1)
    assert "1 label is of a queue and not blind: a reader had seen the AI's answer before." in found.notes


def _origins() -> dict[str, int]:
    return preflight().as_json()["origins"]


def test_days_without_a_gap_are_unbiased_and_others_are_chosen() -> None:
    cohort(positive=5, negative=5)
    assert _origins() == {"consecutive": 10}
    close(study())
    assert _origins() == {"chosen": 10}


def test_studies_that_a_queue_drew_at_random_are_unbiased() -> None:
    made = cohort(positive=5, negative=5)
    close(study())
    queue = LabelQueue.objects.create(name="drawn")
    QueueItem.objects.create(queue=queue, study=made[0], position=1, strategy="random")
    QueueItem.objects.create(queue=queue, study=made[1], position=2, strategy="unsure")
    QueueItem.objects.create(queue=queue, study=made[2], position=3, strategy="random", gold={"positive": True})
    assert _origins() == {"random": 1, "chosen": 9}


def test_without_an_unbiased_share_the_preflight_says_which_queue_to_make() -> None:
    cohort(positive=5, negative=5)
    close(study())
    note = preflight().notes[0]
    assert "10 chosen. No sensitivity can be promised" in note
    assert "Make a label queue at random" in note


def test_a_run_on_chosen_labels_alone_promises_nothing(model: ModelVersion) -> None:
    cohort(positive=5, negative=6)
    close(study())
    run = runs.start(user=person(Role.ADMIN))
    work("train")
    run.refresh_from_db()
    assert run.model is not None
    promises = {point["promise"] for point in run.model.manifest["operating_points"].values()}
    assert promises == {NO_PROMISE}
    assert run.report["unbiased"]["studies"] == 0
