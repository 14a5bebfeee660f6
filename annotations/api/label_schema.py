"""REST: the label schema as data, its versions, the next one and what is in force. And the page of the admins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import Role, has_role
from annotations.api import payloads
from annotations.api.payloads import SchemaVersion
from annotations.api.requests import LABELLERS
from annotations.label_schema import authoring, versions
from annotations.label_schema.schema import Messages
from annotations.models import LabelSchema, PositiveDefinition, ReadRevision, SchemaInForce
from common.contract import answers
from common.validation import checked
from live import queries

KINDS = ("schema", "definition")
MOST_CHOICES = 100
"""Changes of what is in force that are listed, the latest first."""
SITE = "Fontanelle"
"""Who made what came with the installation."""


class VersionRequest(serializers.Serializer[Any]):
    """The next version, as written."""

    kind = serializers.ChoiceField(choices=KINDS, default="schema")
    base = serializers.CharField(max_length=32, help_text="The version that it grew from.")
    document = serializers.JSONField(help_text="JSON Schema of the findings, or the rule of what is positive.")


class NewVersionRequest(VersionRequest):
    reason = serializers.CharField(max_length=500)


class InForceRequest(serializers.Serializer[Any]):
    schema = serializers.CharField(max_length=32)
    definition = serializers.CharField(max_length=32)
    reason = serializers.CharField(max_length=500)


class VersionFacts(TypedDict):
    """A version of the label schema, or of what positive means."""

    name: str
    document: Annotated[dict[str, Any], "JSON Schema of the findings, or the rule of what is positive"]
    made_at: datetime
    made_by: str
    reason: str
    reads: Annotated[int, "committed revisions that were made with it"]


class InForceNames(TypedDict):
    """The versions that new reads are made with."""

    schema: str
    definition: str


class InForceChange(InForceNames):
    """What was in force since when."""

    since: datetime
    by: str
    reason: str


class SchemaOverview(TypedDict):
    """Every version, what uses it, and what was in force since when."""

    in_force: InForceNames
    schemas: list[VersionFacts]
    definitions: list[VersionFacts]
    history: Annotated[list[InForceChange], "the latest first"]


class AddedVersion(SchemaOverview):
    """The overview with the version that was added."""

    name: str


class VersionCheck(TypedDict):
    """What is wrong with a version as it is written."""

    messages: Annotated[Messages, "sentences by part of the document; empty where nothing is wrong"]
    name: Annotated[str, "that it would get"]
    document: Annotated[dict[str, Any] | None, "of a schema without faults, as it would be kept"]


def _messages(version: dict[str, Any]) -> Messages:
    """What is wrong with a written version; empty where nothing is."""
    if version["kind"] == "schema":
        return authoring.check(version["document"])
    return authoring.check_definition(version["document"], versions.in_force().schema)


def _add(version: dict[str, Any], name: str, by: User) -> None:
    facts = {"name": name, "made_by": by, "reason": version["reason"]}
    if version["kind"] == "schema":
        LabelSchema.objects.create(document=authoring.whole(version["document"], name), **facts)
    else:
        PositiveDefinition.objects.create(rule=version["document"], **facts)


def _exists(version: dict[str, Any]) -> bool:
    names = LabelSchema.objects if version["kind"] == "schema" else PositiveDefinition.objects
    return names.filter(name=version["base"]).exists()


class SchemasView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(SchemaOverview)
    def get(self, request: Request) -> Response:
        """Every version of the schema and of "positive", what uses them, and what was in force since when."""
        return Response(overview())

    @answers(AddedVersion, asks=NewVersionRequest, status=201)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Add a version. It is not in force until it is chosen; the version that it grew from stays as it is."""
        version = checked(NewVersionRequest, request.data)
        if not _exists(version):
            raise exceptions.ValidationError({"base": ["There is no such version to grow from. Nothing was added."]})
        if messages := _messages(version):
            raise exceptions.ValidationError(messages)
        name, person = versions.next_name(version["base"]), permissions.person(request)
        _add(version, name, person)
        audit.record(request._request, "label_schema.made", user=person, version=name, base=version["base"])
        added: AddedVersion = {"name": name, **overview()}
        return Response(added, status=201)


class CheckView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(VersionCheck, asks=VersionRequest)
    def post(self, request: Request) -> Response:
        """What is wrong with a version as it is written, by its part; and the document as it would be kept."""
        version = checked(VersionRequest, request.data)
        messages = _messages(version)
        name = versions.next_name(version["base"])
        keeps = version["kind"] == "schema" and not messages
        document = authoring.whole(version["document"], name) if keeps else None
        return Response(VersionCheck(messages=messages, name=name, document=document))


class InForceView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(SchemaVersion)
    def get(self, request: Request) -> Response:
        """The version that new reads are made with."""
        return Response(payloads.schema_in_force())

    @answers(SchemaOverview, asks=InForceRequest)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Choose the versions for new reads; drafts that were begun with another are told when they are committed."""
        person = permissions.person(request)
        if not has_role(person, Role.ADMIN):
            raise exceptions.PermissionDenied("An admin chooses the schema. Nothing was changed.")
        choice = checked(InForceRequest, request.data)
        _check_choice(choice)
        versions.put_in_force(choice["schema"], choice["definition"], by=person, reason=choice["reason"])
        audit.record(request._request, "label_schema.activated", user=person, **choice)
        return Response(overview())


def _check_choice(choice: dict[str, Any]) -> None:
    """Raises ValidationError for versions that there are not, or that do not go together."""
    definition, schema = versions.definition(choice["definition"]), versions.named(choice["schema"])
    if definition is None or schema is None:
        raise exceptions.ValidationError({"schema": ["There is no such version. Nothing was changed."]})
    if messages := authoring.check_definition(definition.rule, schema):
        raise exceptions.ValidationError(messages)


class SchemaView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(SchemaVersion)
    def get(self, request: Request, name: str) -> Response:
        """One version, old ones too: what was read under it is shown in its words."""
        schema = versions.named(name)
        if schema is None:
            raise Http404
        return Response(SchemaVersion(name=schema.name, document=schema.document))


def overview() -> SchemaOverview:
    current = versions.in_force()
    of_schema, of_definition = _uses("schema"), _uses("definition")
    schemas = LabelSchema.objects.select_related("made_by").order_by("pk")
    definitions = PositiveDefinition.objects.select_related("made_by").order_by("pk")
    changes = SchemaInForce.objects.select_related("schema", "definition", "by").order_by("-pk")[:MOST_CHOICES]
    return {
        "in_force": {"schema": current.schema.name, "definition": current.definition.name},
        "schemas": [_facts(row, row.document, of_schema.get(row.name, 0)) for row in schemas],
        "definitions": [_facts(row, row.rule, of_definition.get(row.name, 0)) for row in definitions],
        "history": [_change(row) for row in changes],
    }


def _uses(column: Literal["schema", "definition"]) -> dict[str, int]:
    """How many committed revisions were made with each version."""
    return dict(ReadRevision.objects.order_by().values_list(column).annotate(times=Count("pk")))


def _facts(row: LabelSchema | PositiveDefinition, document: dict[str, Any], reads: int) -> VersionFacts:
    return {
        "name": row.name,
        "document": document,
        "made_at": row.made_at,
        "made_by": row.made_by.display if row.made_by else SITE,
        "reason": row.reason,
        "reads": reads,
    }


def _change(row: SchemaInForce) -> InForceChange:
    return {
        "schema": row.schema.name,
        "definition": row.definition.name,
        "since": row.since,
        "by": row.by.display if row.by else SITE,
        "reason": row.reason,
    }


@permissions.page(Role.ADMIN)
def page(request: HttpRequest) -> HttpResponse:
    """Versions, an editor with a preview of the form, and the definition of positive."""
    audit.record(request, "label_schema.viewed")
    return render(request, "schema.html", {"page": {"page": "schema", "seq": queries.head(), **overview()}})
