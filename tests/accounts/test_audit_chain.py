"""The chain over the trail: what is changed past the triggers is found, and named."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import audit, audit_chain
from accounts.models import AuditEntry, AuditHead, AuditLink

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def past_the_triggers(statement: str) -> None:
    with connection.cursor() as cursor:
        for name in ("audit_never_changes", "auditlink_never_updated"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(statement)


@pytest.fixture
def sealed() -> list[AuditEntry]:
    made = [audit.record(None, "study.viewed", patient_id=f"P-{number}", size=number) for number in range(5)]
    audit_chain.seal()
    return made


def test_a_trail_that_nobody_changed_fits(sealed: list[AuditEntry]) -> None:
    audit.record(None, "thing.made")
    verdict = audit_chain.verify()
    assert (verdict.links, verdict.problems, verdict.unsealed) == (5, [], 1)


def test_sealing_again_goes_on_where_it_ended(sealed: list[AuditEntry]) -> None:
    audit.record(None, "thing.made")
    assert (audit_chain.seal(), audit_chain.seal()) == (1, 0)
    assert audit_chain.verify().links == 6


@pytest.mark.parametrize(
    "change",
    [
        "username = 'somebody else'", "patient_id = 'P-99'", "at = '2020-01-01 00:00:00'", "address = '1.2.3.4'",
        "outcome = 'refused'", "action = 'study.opened'", "detail = '{\"size\": 99}'", "study_uid = '1.2'",
    ],
)  # fmt: skip
def test_a_changed_entry_is_named(sealed: list[AuditEntry], change: str) -> None:
    past_the_triggers(f"UPDATE accounts_auditentry SET {change} WHERE id = {sealed[2].pk}")
    assert audit_chain.verify().problems == [f"Entry {sealed[2].pk} (link 3) is not as it was sealed."]


def test_an_entry_that_was_taken_away_with_its_link_is_missed(sealed: list[AuditEntry]) -> None:
    past_the_triggers(f"DELETE FROM accounts_auditlink WHERE entry_id = {sealed[2].pk}")
    past_the_triggers(f"DELETE FROM accounts_auditentry WHERE id = {sealed[2].pk}")
    assert audit_chain.verify().problems == ["Link 3 is missing."]


@pytest.fixture
def signed(sealed: list[AuditEntry]) -> AuditHead:
    """The next morning."""
    day = timezone.now().date()
    link = AuditLink.objects.get(number=5)
    return AuditHead.objects.create(day=day, number=5, digest=link.digest, signature=audit_chain._signature(day, link))


def test_the_end_of_the_chain_cannot_be_taken_away_once_it_is_signed(signed: AuditHead) -> None:
    last = AuditLink.objects.get(number=5)
    past_the_triggers("DELETE FROM accounts_auditlink WHERE number = 5")
    past_the_triggers(f"DELETE FROM accounts_auditentry WHERE id = {last.entry_id}")
    assert audit_chain.verify().problems == [f"The head of {signed.day} names link 5, which is gone."]


def test_a_chain_that_was_made_again_fits_no_signature(signed: AuditHead, sealed: list[AuditEntry]) -> None:
    past_the_triggers("DELETE FROM accounts_auditlink")
    past_the_triggers(f"UPDATE accounts_auditentry SET username = 'x' WHERE id = {sealed[0].pk}")
    audit_chain.seal()
    assert audit_chain.verify().problems == [f"The chain is not the one that was signed on {signed.day}."]


def test_a_head_that_another_key_signed_is_named(signed: AuditHead, settings: Settings) -> None:
    settings.SECRET_KEY = "another key of more than thirty-two characters"
    assert audit_chain.verify().problems == [f"The signature of {signed.day} is not this site's."]


def test_each_day_the_last_link_of_the_days_before_is_signed(sealed: list[AuditEntry]) -> None:
    past_the_triggers(f"UPDATE accounts_auditentry SET at = '2026-01-01 10:00:00' WHERE id = {sealed[0].pk}")
    past_the_triggers("DELETE FROM accounts_auditlink")
    for _ in range(2):
        audit_chain.seal()
    head = AuditHead.objects.get()
    assert (head.number, audit_chain.verify().heads) == (1, 1)


def test_an_entry_whose_transaction_ended_late_is_sealed(sealed: list[AuditEntry]) -> None:
    late = AuditEntry(pk=sealed[-1].pk + 50, action="thing.made")
    early = AuditEntry(pk=sealed[-1].pk + 20, action="thing.made")
    for entry in (late, early):
        entry.save(force_insert=True)
        audit_chain.seal()
    assert [link.entry_id for link in AuditLink.objects.order_by("number")][-2:] == [late.pk, early.pk]
    assert audit_chain.verify().problems == []


def test_the_command_says_what_it_found(sealed: list[AuditEntry], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit", "verify")
    assert capsys.readouterr().out.startswith("5 entries are as they were sealed")
    past_the_triggers("UPDATE accounts_auditentry SET username = 'x'")
    with pytest.raises(CommandError, match="was changed"):
        call_command("audit", "verify")


def test_a_worker_seals_at_most_once_a_minute(sealed: list[AuditEntry], monkeypatch: pytest.MonkeyPatch) -> None:
    sealings: list[int] = []
    monkeypatch.setattr(audit_chain, "seal", lambda: sealings.append(1))
    monkeypatch.setattr(audit_chain, "_sealed_at", float("-inf"))
    for _ in range(3):
        audit_chain.tick()
    assert len(sealings) == 1


def test_a_link_is_never_changed(sealed: list[AuditEntry]) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        cursor.execute("UPDATE accounts_auditlink SET digest = 'x'")


INSERT = """INSERT INTO accounts_auditentry (at, username, action, patient_id, study_uid, outcome, detail)
    VALUES ('2026-01-01', '', 'thing.made', '', '', 'ok', '{}')"""


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as a site has it, with every trigger."""
    folder = tmp_path_factory.mktemp("migrated")
    command = [sys.executable, "manage.py", "migrate", "--noinput"]
    environment = {"PATH": "/usr/bin:/bin", "FONTANELLE_VAR": str(folder)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=300)
    return folder / "fontanelle.sqlite3"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("statement", ["DELETE FROM accounts_auditentry", "UPDATE accounts_auditentry SET action='x'"])
def test_sqlite_neither_deletes_nor_changes_an_entry(migrated: Path, statement: str) -> None:
    with sqlite3.connect(migrated) as database:
        database.execute(INSERT)
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            database.execute(statement)
        assert database.execute("SELECT count(*) FROM accounts_auditentry").fetchone()[0] > 0
