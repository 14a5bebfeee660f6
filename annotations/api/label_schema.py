"""The label schema as data: its versions, the next one and what is in force. REST, and the page of the admins."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.roles import Role, has_role
from annotations.api import payloads
from annotations.api.requests import LABELLERS
from annotations.label_schema import authoring, versions
from annotations.models import LabelSchema, PositiveDefinition, ReadRevision, SchemaInForce
from live import queries

JSON = OpenApiTypes.OBJECT
KINDS = ("schema", "definition")


class Written(serializers.Serializer[Any]):
    """The next version, as written; ``base`` is the version that it grew from."""

    kind = serializers.ChoiceField(choices=KINDS, default="schema")
    base = serializers.CharField(max_length=32)
    document = serializers.JSONField()


class Made(Written):
    reason = serializers.CharField(max_length=500)


class Choice(serializers.Serializer[Any]):
    schema = serializers.CharField(max_length=32)
    definition = serializers.CharField(max_length=32)
    reason = serializers.CharField(max_length=500)


def _asked(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    asked = serializer(data=data)
    asked.is_valid(raise_exception=True)
    checked: dict[str, Any] = asked.validated_data
    return checked


def _wrong(asked: dict[str, Any]) -> dict[str, list[str]]:
    if asked["kind"] == "schema":
        return authoring.check(asked["document"])
    return authoring.check_definition(asked["document"], versions.in_force().schema)


class SchemasView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(responses=JSON)
    def get(self, request: Request) -> Response:
        """Every version of the schema and of "positive", what uses them, and what was in force since when."""
        return Response(overview())

    @extend_schema(request=Made, responses=JSON)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Add a version. It is not in force until it is chosen; the version that it grew from stays as it is."""
        asked = _asked(Made, request.data)
        model: Any = LabelSchema if asked["kind"] == "schema" else PositiveDefinition
        if not model.objects.filter(name=asked["base"]).exists():
            raise exceptions.ValidationError({"base": ["There is no such version to grow from. Nothing was added."]})
        if messages := _wrong(asked):
            raise exceptions.ValidationError(messages)
        name = versions.next_name(asked["base"])
        body = (
            {"document": authoring.whole(asked["document"], name)}
            if asked["kind"] == "schema"
            else {"rule": asked["document"]}
        )
        model.objects.create(name=name, made_by=request.user, reason=asked["reason"], **body)
        audit.record(request._request, "label_schema.made", user=request.user, version=name, base=asked["base"])
        return Response({"name": name, **overview()}, status=201)


class CheckView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(request=Written, responses=JSON)
    def post(self, request: Request) -> Response:
        """What is wrong with a version as it is written, by its part; and the document as it would be kept."""
        asked = _asked(Written, request.data)
        messages = _wrong(asked)
        name = versions.next_name(asked["base"])
        fine = asked["kind"] == "schema" and not messages
        return Response(
            {"messages": messages, "name": name, "document": authoring.whole(asked["document"], name) if fine else None}
        )


class InForceView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(responses=JSON)
    def get(self, request: Request) -> Response:
        """The version that new reads are made with."""
        return Response(payloads.told_schema())

    @extend_schema(request=Choice, responses=JSON)
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Choose the versions for new reads; drafts that were begun with another are told when they are committed."""
        if not has_role(request.user, Role.ADMIN):
            raise exceptions.PermissionDenied("An admin chooses the schema. Nothing was changed.")
        asked = _asked(Choice, request.data)
        definition, schema = versions.definition(asked["definition"]), versions.named(asked["schema"])
        if definition is None or schema is None:
            raise exceptions.ValidationError({"schema": ["There is no such version. Nothing was changed."]})
        if messages := authoring.check_definition(definition.rule, schema):
            raise exceptions.ValidationError(messages)
        chosen = versions.put_in_force(
            schema.name, definition.name, by=permissions.person(request), reason=asked["reason"]
        )
        audit.record(
            request._request,
            "label_schema.activated",
            user=request.user,
            schema=schema.name,
            definition=definition.name,
            reason=chosen.reason,
        )
        return Response(overview())


class SchemaView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(responses=JSON)
    def get(self, request: Request, name: str) -> Response:
        """One version, old ones too: what was read under it is shown in its words."""
        found = versions.named(name)
        if found is None:
            raise Http404
        return Response({"name": found.name, "document": found.document})


def overview() -> dict[str, Any]:
    now = versions.in_force()
    used = _uses("schema") | {f"definition {name}": times for name, times in _uses("definition").items()}
    chosen = SchemaInForce.objects.select_related("schema", "definition", "by").order_by("-pk")[:100]
    return {
        "in_force": {"schema": now.schema.name, "definition": now.definition.name},
        "schemas": [
            _told(row, row.document, used.get(row.name, 0))
            for row in LabelSchema.objects.select_related("made_by").order_by("pk")
        ],
        "definitions": [
            _told(row, row.rule, used.get(f"definition {row.name}", 0))
            for row in PositiveDefinition.objects.select_related("made_by").order_by("pk")
        ],
        "history": [
            {
                "schema": row.schema.name,
                "definition": row.definition.name,
                "since": row.since,
                "by": row.by.display if row.by else "Fontanelle",
                "reason": row.reason,
            }
            for row in chosen
        ],
    }


def _uses(column: str) -> dict[str, int]:
    """How many committed revisions were made with each version."""
    return dict(ReadRevision.objects.order_by().values_list(column).annotate(times=Count("pk")))


def _told(row: LabelSchema | PositiveDefinition, document: dict[str, Any], reads: int) -> dict[str, Any]:
    by = row.made_by.display if row.made_by else "Fontanelle"
    return {
        "name": row.name,
        "document": document,
        "made_at": row.made_at,
        "made_by": by,
        "reason": row.reason,
        "reads": reads,
    }


@permissions.page(Role.ADMIN)
def page(request: HttpRequest) -> HttpResponse:
    """Versions, an editor with a preview of the form, and the definition of positive."""
    audit.record(request, "label_schema.viewed")
    return render(request, "schema.html", {"page": {"page": "schema", "seq": queries.head(), **overview()}})
