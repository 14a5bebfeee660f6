"""Which versions of the label schema and of "positive" there are, and which a site uses since when. Only ever added to.

What comes with us is installed after each migration; a site's choice stays. An edit makes the next version: reads that
were committed under another keep theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils import timezone

from accounts.models import User
from annotations.label_schema.schema import BadFindings, Definition, Schema, shipped
from annotations.models import LabelSchema, PositiveDefinition, SchemaInForce

FIRST_SCHEMA, FIRST_DEFINITION = "papile-2", "positive-1"
MAX_NAME = 32
_NUMBERED = re.compile(r"(.+)-(\d+)")


@dataclass(frozen=True)
class InForce:
    """What new reads are made with."""

    schema: Schema
    definition: Definition


def install(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Add what comes with us and is not there yet; a site that has chosen nothing begins with our choice.

    Runs after every migration, also after one to a time before these tables.
    """
    if SchemaInForce._meta.db_table not in connections[using].introspection.table_names():
        return
    with transaction.atomic():
        for name, document in shipped().items():
            if "properties" in document:
                LabelSchema.objects.get_or_create(
                    name=name, defaults={"document": document, "reason": "Comes with Fontanelle"}
                )
            else:
                PositiveDefinition.objects.get_or_create(
                    name=name, defaults={"rule": document, "reason": "Comes with Fontanelle"}
                )
        if not SchemaInForce.objects.exists():
            put_in_force(FIRST_SCHEMA, FIRST_DEFINITION, reason="The choice that Fontanelle begins with")


def in_force() -> InForce:
    """The site's choice."""
    latest = SchemaInForce.objects.select_related("schema", "definition").latest("pk")
    return InForce(_schema(latest.schema), _definition(latest.definition))


def put_in_force(schema: str, definition: str, *, by: User | None = None, reason: str = "") -> SchemaInForce:
    """From now on new reads are made with these; raises DoesNotExist."""
    return SchemaInForce.objects.create(
        schema=LabelSchema.objects.get(name=schema),
        definition=PositiveDefinition.objects.get(name=definition),
        since=timezone.now(),
        by=by,
        reason=reason,
    )


def named(name: str) -> Schema | None:
    """The version of the schema of this name; None where there is none."""
    row = LabelSchema.objects.filter(name=name).first()
    return _schema(row) if row else None


def of(findings: Any) -> Schema:
    """The version that an answer says it was made with, the one in force where it says none. Raises BadFindings."""
    name = findings.get("schema") if isinstance(findings, dict) else None
    if name is None:
        return in_force().schema
    schema = named(name) if isinstance(name, str) and len(name) <= MAX_NAME else None
    if schema is None:
        raise BadFindings({"schema": ["There is no version of the schema of this name."]})
    return schema


def of_revision(name: str) -> Schema:
    """The version that a committed read was made with: it is never taken away."""
    return _schema(LabelSchema.objects.get(name=name))


def all_schemas() -> dict[str, Schema]:
    """Every version by its name, in the order in which they came."""
    return {row.name: _schema(row) for row in LabelSchema.objects.order_by("pk")}


def definition(name: str) -> Definition | None:
    """The version of "positive" of this name; None where there is none."""
    row = PositiveDefinition.objects.filter(name=name).first()
    return _definition(row) if row else None


def next_name(name: str) -> str:
    """papile-2 → papile-3, the first that is free."""
    family, number = _split(name)
    names = {*LabelSchema.objects.values_list("name", flat=True)}
    names |= {*PositiveDefinition.objects.values_list("name", flat=True)}
    while f"{family}-{number}" in names:
        number += 1
    return f"{family}-{number}"


def _split(name: str) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 1)


def _schema(row: LabelSchema) -> Schema:
    return Schema(row.name, row.document)


def _definition(row: PositiveDefinition) -> Definition:
    return Definition(row.name, row.rule)
