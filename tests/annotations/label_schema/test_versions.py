"""The schema as data: versions, what is in force, and what happens to a read begun under another."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from accounts.roles import Role
from annotations.consensus import reference_labels
from annotations.label_schema import versions
from annotations.models import LabelSchema, ReadRevision, SchemaInForce, SetAside
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/label-schemas/"


def written(user: User, what: str = "", **body: Any) -> Any:
    default = {"kind": "schema", "base": "papile-2", "reason": "A shunt matters here"}
    return client_of(user).post(ADDRESS + what, {**default, **body}, content_type="application/json")


def with_shunt() -> dict[str, Any]:
    document = versions.in_force().schema.document
    shunt = {"title": "Shunt", "type": "boolean", "default": False}
    return {**document, "properties": {**document["properties"], "shunt": shunt}}


def changed_to(schema: str, definition: str = "positive-1") -> None:
    versions.put_in_force(schema, definition, reason="test")


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN)


def test_a_site_begins_with_papile_and_any_bleed() -> None:
    now = versions.in_force()
    assert (now.schema.name, now.definition.name) == ("papile-2", "positive-1")


def test_an_upgrade_keeps_what_a_site_has_chosen() -> None:
    changed_to("volpe-1")
    versions.install()
    assert versions.in_force().schema.name == "volpe-1"


def test_an_edit_makes_the_next_version_and_changes_no_other(admin: User) -> None:
    before = LabelSchema.objects.get(name="papile-2").document
    assert written(admin, document=with_shunt()).json()["name"] == "papile-3"
    assert LabelSchema.objects.get(name="papile-2").document == before
    assert LabelSchema.objects.get(name="papile-3").document["properties"]["schema"] == {"const": "papile-3"}


def test_a_new_version_counts_once_an_admin_has_chosen_it(admin: User, study: Study) -> None:
    written(admin, document=with_shunt())
    assert versions.in_force().schema.name == "papile-2"
    assert written(admin, "in-force/", schema="papile-3", definition="positive-1").status_code == 200
    assert factories.read(study, right=0, left=0, shunt=True).findings["shunt"] is True


def test_a_slip_is_refused_with_its_place(admin: User) -> None:
    document = {**with_shunt(), "title": ""}
    assert written(admin, document=document).json() == {"title": ["A schema has a title of at most 100 characters."]}
    assert written(admin, "check/", document=document).json()["messages"]
    assert not LabelSchema.objects.filter(name="papile-3").exists()


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR])
def test_only_an_admin_edits_and_chooses(role: Role) -> None:
    who = person(role)
    assert written(who, document=with_shunt()).status_code == 403
    assert written(who, "in-force/", schema="volpe-1", definition="positive-1").status_code == 403
    assert client_of(who).get(f"{ADDRESS}papile-1/").json()["document"]["title"] == "Papile, per side"


def test_a_version_is_never_changed_not_even_past_the_model() -> None:
    with pytest.raises(TypeError):
        LabelSchema.objects.get(name="papile-2").save()
    for table in ("labelschema", "schemainforce", "readrevision"):
        factories.read(factories.study())
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE annotations_{table} SET id = id + 1000")


def test_old_reads_keep_their_version_and_stay_readable(study: Study, reader: User) -> None:
    changed_to("papile-1")
    old = factories.read(study, reader, right=2, left=0, pvl=True)
    changed_to("volpe-1")
    told = Desk(reader, study).reads()["mine"]["revisions"][0]
    assert (told["schema"], told["findings"]) == ("papile-1", ReadRevision.objects.get(pk=old.pk).findings)
    assert versions.of_revision(told["schema"]).word("pvl", told["findings"]["pvl"]) == "yes"


def test_a_read_begun_under_an_older_version_is_told_and_stays_a_draft(study: Study, reader: User) -> None:
    desk = Desk(reader, study)
    begun = {"schema": "papile-2", "right": 4, "left": 0, "phi": True}
    desk.draft(begun)
    changed_to("volpe-1")
    assert desk.draft({**begun, "left": 1}, version=1).json()["schema"] == "volpe-1"
    refused = desk.commit({**begun, "left": 1}, version=2)
    assert (refused.status_code, refused.json()["code"]) == (409, "schema_changed")
    assert "nothing is lost" in refused.json()["detail"]
    assert desk.reads()["mine"]["draft"]["findings"]["right"] == 4


def test_what_fits_is_carried_over_and_the_rest_is_named_and_kept(study: Study, reader: User) -> None:
    desk = Desk(reader, study)
    changed_to("volpe-1")
    begun = {"schema": "papile-2", "right": 4, "left": 1, "phi": True}
    carried = desk.post("carry", findings=begun, comment="seen", version=0).json()
    assert carried["left_out"] == [{"field": "right", "title": "Right", "said": "IV"}]
    assert (carried["findings"]["left"], carried["findings"]["right"]) == (1, None)
    assert SetAside.objects.get(read__study=study).answer["findings"]["right"] == 4
    assert desk.commit({**carried["findings"], "right": 3}).status_code == 201


def test_the_definition_in_force_decides_labels_and_reads_stay_as_they_were(admin: User, study: Study) -> None:
    low = factories.read(study, right=1, left=0)
    severe = {"title": "III or more", "any": [{"field": side, "at_least": 3} for side in ("right", "left")]}
    made = written(admin, kind="definition", base="positive-1", document=severe).json()["name"]
    assert [label.positive for label in reference_labels.labels()] == [True]
    written(admin, "in-force/", schema="papile-2", definition=made)
    assert [(label.positive, label.definition) for label in reference_labels.labels()] == [(False, "positive-2")]
    assert ReadRevision.objects.get(pk=low.pk).positive is True


def test_a_definition_by_which_everything_is_positive_is_refused(admin: User) -> None:
    rule = {"title": "All", "any": [{"field": "right", "at_least": 0}]}
    assert written(admin, kind="definition", base="positive-1", document=rule).status_code == 400


def test_a_choice_is_history(admin: User) -> None:
    written(admin, "in-force/", schema="volpe-1", definition="positive-1", reason="The site grades after Volpe")
    history = client_of(admin).get(ADDRESS).json()["history"]
    assert (history[0]["schema"], history[0]["reason"]) == ("volpe-1", "The site grades after Volpe")
    assert SchemaInForce.objects.count() == 2


def test_a_contradiction_is_asked_about_and_taken_when_it_is_meant(study: Study, reader: User) -> None:
    desk = Desk(reader, study)
    odd = {"right": 0, "left": 0, "phi": True}
    asked = desk.commit(odd)
    assert (asked.status_code, asked.json()["code"]) == (409, "contradiction")
    assert asked.json()["questions"] == ["A parenchymal haemorrhage is marked, yet no side has a grade."]
    assert desk.commit(odd, confirmed=True).status_code == 201


def test_the_version_of_a_draft_that_was_not_chosen_is_kept(study: Study, reader: User) -> None:
    desk = Desk(reader, study)
    for _ in range(2):
        desk.post("aside", findings={"right": 2}, comment="the other tab", version=0)
    assert SetAside.objects.get(read__reader=reader).answer["comment"] == "the other tab"
