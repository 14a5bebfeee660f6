"""What a reader was shown of the AI is on record, and a queue read by somebody who had seen it is not blind."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.agreement import ratings
from annotations.models import Context, Exposure, ReadRevision
from annotations.reads.lifecycle import Place
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db
LIST = "/api/v1/worklist/"


@pytest.fixture
def scored(study: Study) -> Study:
    factories.scored(study)
    return study


def shown_to(reader: User) -> list[tuple[str, str, bool, str]]:
    rows = Exposure.objects.filter(reader=reader).order_by("pk")
    return list(rows.values_list("study__uid", "flag", "attention", "where"))


def read_in_a_queue(study: Study, reader: User) -> ReadRevision:
    """The study is queued now, after whatever the reader saw of it, and read."""
    factories.queue(study, readers=[reader])
    return factories.commit_at(Place(study, reader, Context.QUEUE, factories.item(study)), {})


@pytest.fixture
def not_blind(scored: Study, reader: User) -> ReadRevision:
    client_of(reader).get(LIST)
    return read_in_a_queue(scored, reader)


def test_a_flag_in_the_list_is_on_record(scored: Study, reader: User) -> None:
    client_of(reader).get(LIST)
    assert shown_to(reader) == [(scored.uid, "suspected", False, "list")]


def test_the_list_writes_nothing_where_nothing_new_is_shown(scored: Study, reader: User) -> None:
    client = client_of(reader)
    client.get(LIST)
    with CaptureQueriesContext(connection) as asked:
        client.get(LIST)
    assert [query["sql"] for query in asked if 'INTO "annotations_exposure"' in query["sql"]] == []
    assert len(shown_to(reader)) == 1


def test_a_longer_list_asks_no_more(scored: Study, reader: User) -> None:
    client = client_of(reader)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return sum("annotations_exposure" in query["sql"] for query in queries)

    few = asked()
    for _ in range(20):
        factories.scored(factories.study())
    assert (few, asked(), asked(), len(shown_to(reader))) == (2, 2, 1, 21)


def test_a_row_that_is_blinded_shows_nothing(scored: Study, reader: User) -> None:
    factories.queue(scored, readers=[reader])
    client_of(reader).get(LIST)
    assert shown_to(reader) == []


def test_attention_that_is_shown_later_is_on_record_besides(scored: Study, reader: User, settings: Any) -> None:
    url = f"/api/v1/studies/{scored.uid}/score/"
    client_of(reader).get(url)
    settings.ATTENTION_BEFORE_COMMIT = True
    for _ in range(2):
        client_of(reader).get(url)
    assert [row[2:] for row in shown_to(reader)] == [(False, "score"), (True, "score")]


def test_the_reveal_after_a_commit_is_on_record(scored: Study, reader: User) -> None:
    body = {"context": "triage", "findings": factories.NEGATIVE, "version": 0, "idempotency_key": "once"}
    client = client_of(reader)
    client.post(f"/api/v1/studies/{scored.uid}/reads/commit/", body, "application/json")
    assert shown_to(reader) == [(scored.uid, "suspected", True, "score")]


def test_the_history_of_the_labels_shows_which_flag_a_reader_knew(scored: Study, reader: User) -> None:
    factories.read(scored, reader)
    admin = person(Role.ADMIN)
    client_of(admin).get(f"/api/v1/studies/{scored.uid}/history/")
    assert [row[3] for row in shown_to(admin)] == ["history"]


@pytest.mark.parametrize(("query", "expected"), [("", []), ("?identified=true&reason=audit", ["export"])])
def test_an_export_with_identifiers_shows_them_too(
    scored: Study, reader: User, query: str, expected: list[str]
) -> None:
    factories.read(scored, reader)
    admin = person(Role.ADMIN)
    client_of(admin).get(f"/api/v1/labels/export/{query}")
    assert [row[3] for row in shown_to(admin)] == expected


def test_an_event_carries_no_flag_and_leaves_no_row(scored: Study, reader: User) -> None:
    client_of(reader).get("/api/v1/events/")
    assert shown_to(reader) == []


def test_who_saw_the_flag_in_the_list_is_not_blind_in_a_later_queue(not_blind: ReadRevision) -> None:
    assert (not_blind.flag_seen, not_blind.is_blind) == ("suspected", False)
    assert [(each["flag"], each["where"]) for each in not_blind.ai_shown or []] == [("suspected", "list")]


def test_who_saw_nothing_is_blind(scored: Study, reader: User) -> None:
    revision = read_in_a_queue(scored, reader)
    assert (revision.flag_seen, revision.is_blind, revision.ai_shown) == ("", True, [])


def test_what_is_shown_after_the_commit_changes_nothing(scored: Study, reader: User) -> None:
    revision = read_in_a_queue(scored, reader)
    client_of(reader).get(LIST)
    revision.refresh_from_db()
    assert (revision.is_blind, len(shown_to(reader))) == (True, 1)


def test_the_flag_that_was_shown_counts_and_not_a_later_one(scored: Study, reader: User) -> None:
    client_of(reader).get(LIST)
    factories.revision(scored)
    factories.scored(scored, "not_suspected", 0.1)
    assert read_in_a_queue(scored, reader).flag_seen == "suspected"


def test_a_view_of_a_score_that_only_the_audit_trail_knows_counts(scored: Study, reader: User) -> None:
    AuditEntry.objects.create(user=reader, study_uid=scored.uid, action="score.viewed", detail={"attention": True})
    revision = read_in_a_queue(scored, reader)
    assert (revision.flag_seen, revision.attention_seen) == ("suspected", True)


def test_agreement_leaves_it_out_and_counts_it(not_blind: ReadRevision) -> None:
    loaded = ratings.load()
    assert (loaded.first, loaded.unblinded) == ([], 1)


def test_the_csv_export_says_which_reads_are_blind(not_blind: ReadRevision) -> None:
    factories.read(factories.study(), person(Role.RADIOLOGIST))
    content = client_of(person(Role.ADMIN)).get("/api/v1/labels/export/").content.decode()
    assert [(row["context"], row["blind"]) for row in csv.DictReader(io.StringIO(content))] == [
        ("queue", "false"), ("triage", "true"),
    ]  # fmt: skip


def test_the_json_export_says_what_was_shown_and_where(not_blind: ReadRevision) -> None:
    (read,) = client_of(person(Role.ADMIN)).get("/api/v1/labels/export/?form=json").json()["reads"]
    assert (read["blind"], read["ai_shown"]) == (
        False, [{"flag": "suspected", "attention": False, "where": "list", "at": None}],
    )  # fmt: skip


def test_what_was_shown_is_never_changed(scored: Study, reader: User) -> None:
    client_of(reader).get(LIST)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE annotations_exposure SET flag = 'not_suspected'")
    assert [row[1] for row in shown_to(reader)] == ["suspected"]
