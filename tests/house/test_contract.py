"""Every address of the API says what it answers, and the front end's copy of that is the current one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.api_contract import answers_of, document, is_named, operations

OPENAPI = Path(__file__).resolve().parents[2] / "frontend" / "openapi.json"

# Operations whose answer OpenAPI does not name yet. It only ever shrinks.
NOT_YET_NAMED: set[str] = set()


def _unnamed() -> set[str]:
    return {
        f"{method} {path}"
        for path, method, operation in operations()
        for _, schema in answers_of(operation)
        if not is_named(schema)
    }


def test_every_answer_has_a_named_shape() -> None:
    assert not _unnamed() - NOT_YET_NAMED


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"$ref": "#/components/schemas/Row"}, True),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Row"}}, True),
        ({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Row"}}, True),
        ({"type": "object", "additionalProperties": {}}, False),
        ({"type": "array", "items": {}}, False),
        ({}, False),
    ],
)
def test_a_bare_object_is_no_named_shape(schema: dict[str, object], named: bool) -> None:
    assert is_named(schema) is named


def test_the_front_ends_copy_of_openapi_is_current() -> None:
    assert json.loads(OPENAPI.read_text()) == document(), "run make contract"


def test_openapi_has_no_warning() -> None:
    call_command("spectacular", "--fail-on-warn", "--file", "/dev/null")
