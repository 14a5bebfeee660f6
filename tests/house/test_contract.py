"""Every address of the API says what it answers, and the front end's copy of that is the current one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.http import JsonResponse

from tests.api_contract import ContractBroken, answers_of, check, document, is_named, operations

OPENAPI = Path(__file__).resolve().parents[2] / "frontend" / "openapi.json"


def _unnamed() -> set[str]:
    return {
        f"{method} {path}"
        for path, method, operation in operations()
        for _, schema in answers_of(operation)
        if not is_named(schema)
    }


def test_every_answer_has_a_named_shape() -> None:
    assert _unnamed() == set()


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


@pytest.mark.parametrize("answer", [{"seq": 1, "events": [], "more": 1}, {"seq": "1", "events": []}, {"events": []}])
def test_an_answer_that_openapi_does_not_describe_fails_its_test(answer: dict[str, object]) -> None:
    check("/api/v1/events/", "get", JsonResponse({"seq": 1, "events": []}), b"")
    with pytest.raises(ContractBroken):
        check("/api/v1/events/", "get", JsonResponse(answer), b"")
