"""An infant keeps its fold, whatever comes after."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.roles import Role
from inference.models import ModelVersion
from studies.models import Patient
from tests.accounts.people import person
from tests.inference.factories import work
from tests.training.factories import cohort
from training import runs
from training.core.splits import deal_new
from training.models import FoldPlace, RunStatus, TrainingRun
from training.preflight import preflight

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
GROUPS = st.dictionaries(st.integers(0, 200).map(str), st.booleans(), max_size=60)


def _sides() -> dict[int, int]:
    return {row.patient: row.fold for row in preflight().rows}


def _begun(seed: int = 0) -> TrainingRun:
    return runs.start(user=person(Role.ADMIN), seed=seed)


def test_new_infants_move_no_old_one(model: ModelVersion) -> None:
    cohort(positive=5, negative=10)
    before = {row["patient"]: row["fold"] for row in _begun().snapshot.rows}
    cohort(positive=4, negative=11)
    after = _sides()
    assert len(after) == 30
    assert {patient: after[patient] for patient in before} == before


def test_no_seed_deals_anew(model: ModelVersion) -> None:
    cohort(positive=5, negative=6)
    first = _begun(seed=1)
    work("train")
    assert _begun(seed=2).snapshot == first.snapshot


def test_looking_keeps_nothing(model: ModelVersion) -> None:
    cohort(positive=5, negative=6)
    assert preflight().ok
    assert not FoldPlace.objects.exists()


def test_an_infant_merged_into_another_takes_its_place_along(model: ModelVersion) -> None:
    made = cohort(positive=5, negative=6)
    fold = {row["patient"]: row["fold"] for row in _begun().snapshot.rows}[made[10].patient.pk]
    other = cohort(positive=0, negative=1)[0].patient
    Patient.objects.filter(pk=made[10].patient.pk).update(merged_into=other)
    made[10].patient = other
    made[10].save()
    assert _sides()[other.pk] == fold


def test_twins_linked_later_stand_together_where_the_first_was_dealt(model: ModelVersion) -> None:
    cohort(positive=5, negative=7)
    rows = [row for row in _begun().snapshot.rows if not row["positive"]]
    second = next(row for row in rows if row["fold"] != rows[0]["fold"])
    earliest = min(rows[0]["patient"], second["patient"])
    Patient.objects.filter(pk__in=[rows[0]["patient"], second["patient"]]).update(twin_group="T9")
    found = preflight()
    where = {row.fold for row in found.rows if row.group == "twins:T9"}
    assert where == {next(row["fold"] for row in rows if row["patient"] == earliest)}
    assert any("twins:T9, linked since" in note for note in found.notes)


@given(GROUPS, GROUPS)
def test_whoever_was_dealt_stays_and_the_rest_is_even(old: dict[str, bool], new: dict[str, bool]) -> None:
    known = deal_new(old, {}, folds=5)
    dealt = deal_new({**old, **new}, known, folds=5)
    assert {group: dealt[group] for group in old} == known
    for kind in (True, False):
        counts = Counter(known[group] for group in old if old[group] == kind)
        assert max(counts.values(), default=0) - min((counts[fold] for fold in range(5)), default=0) <= 1


def test_a_snapshot_that_was_altered_trains_nothing(model: ModelVersion) -> None:
    cohort(positive=5, negative=6)
    run = _begun()
    rows = [{**row, "positive": not row["positive"]} for row in run.snapshot.rows]
    with pytest.raises(TypeError, match="never changed"):
        type(run.snapshot).objects.filter(pk=run.snapshot.pk).update(rows=rows)
    _behind_its_back(run, rows)
    work("train")
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "no longer those that its digest names" in run.error


def _behind_its_back(run: TrainingRun, rows: list[dict[str, object]]) -> None:
    import json

    from django.db import connection

    with connection.cursor() as cursor:
        table = run.snapshot._meta.db_table
        cursor.execute(f"UPDATE {table} SET rows = %s WHERE id = %s", [json.dumps(rows), run.snapshot.pk])
