"""The migration that gave every action of the trail its present name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import QuerySet

from accounts import audit
from accounts.models import AuditEntry
from tests.conftest import let_the_trail_be_emptied

pytestmark = pytest.mark.django_db(transaction=True)
names = importlib.import_module("accounts.migrations.0004_action_names")
NOTE = "audit.actions_renamed"


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("accounts", name)])


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """The tables as they were before the migration; afterwards as they are now."""
    migrate("0003_keymap")
    yield
    executor = MigrationExecutor(connection)
    executor.migrate([leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] == "accounts"])
    let_the_trail_be_emptied()


def actions() -> list[str]:
    """What the entries say in the order in which they were written, without the migration's own."""
    return list(AuditEntry.objects.exclude(action=NOTE).order_by("id").values_list("action", flat=True))


@pytest.mark.parametrize(("old", "new"), (names.RENAMED | names.OLDER).items())
def test_an_entry_takes_its_present_name_and_nothing_else_of_it_changes(old: str, new: str) -> None:
    entry = AuditEntry.objects.create(action=old, patient_id="P1", detail={"reason": "why"})
    migrate("0004_action_names")
    after = AuditEntry.objects.get(pk=entry.pk)
    assert (after.action, after.at, after.patient_id, after.detail) == (new, entry.at, "P1", {"reason": "why"})


def test_every_present_name_is_one() -> None:
    assert all(map(audit.ACTION.fullmatch, [*names.RENAMED.values(), *names.OLDER.values(), NOTE]))


def test_the_way_back_restores_each_old_name() -> None:
    AuditEntry.objects.bulk_create(AuditEntry(action=old) for old in names.RENAMED)
    migrate("0004_action_names")
    assert not set(actions()) & set(names.RENAMED)
    migrate("0003_keymap")
    assert actions() == list(names.RENAMED)


def test_other_actions_keep_their_names() -> None:
    AuditEntry.objects.create(action="study.viewed")
    migrate("0004_action_names")
    assert actions() == ["study.viewed"]
    assert not AuditEntry.objects.filter(action=NOTE).exists()


def test_an_entry_says_what_was_renamed() -> None:
    AuditEntry.objects.bulk_create(AuditEntry(action="sign_in") for _ in range(2))
    migrate("0004_action_names")
    assert AuditEntry.objects.get(action=NOTE).detail == {"renamed": {"sign_in": ["user.signed_in", 2]}}


@pytest.mark.parametrize("state", ["0003_keymap", "0004_action_names"])
def test_entries_cannot_be_changed_before_or_after(state: str) -> None:
    AuditEntry.objects.create(action="sign_in")
    migrate("0004_action_names")
    migrate(state)
    past_the_model: QuerySet[AuditEntry] = QuerySet(model=AuditEntry)
    with pytest.raises(DatabaseError, match="never changed"):
        past_the_model.update(outcome="other")
