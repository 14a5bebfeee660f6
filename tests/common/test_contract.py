"""Shapes of Python become the schemas of OpenAPI, field by field."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import contract
from common.contract import Unnameable, answers, component, schema_of


class Band(enum.StrEnum):
    """Where a study stands in the list."""

    OVERDUE = "overdue"
    RANKED = "ranked"


class Mark(TypedDict):
    """One measured distance."""

    length: Annotated[float, "mm"]
    label: NotRequired[str]


class Sheet(TypedDict):
    marks: list[Mark]
    by_name: dict[str, Mark]
    band: Band
    best: Mark | None
    day: date | None
    at: datetime
    kind: Literal["sagittal", "coronal"]


class Question(serializers.Serializer[Any]):
    after = serializers.IntegerField(help_text="how many to skip")


def _schema(view: Any) -> dict[str, Any]:
    """OpenAPI of a site that has only this view."""
    generator = SchemaGenerator(patterns=[path("api/v1/x/", view)])
    return cast(dict[str, Any], generator.get_schema(request=None, public=True))


def _view(shape: Any, **options: Any) -> Any:
    class Sheets(APIView):
        @answers(shape, **options)
        def post(self, request: Request) -> Response:
            """Every sheet."""
            return Response()

    return Sheets.as_view()


def _operation(shape: Any, **options: Any) -> dict[str, Any]:
    return cast(dict[str, Any], _schema(_view(shape, **options))["paths"]["/api/v1/x/"]["post"])


def _body(part: dict[str, Any]) -> dict[str, Any]:
    return cast(dict[str, Any], part["content"]["application/json"]["schema"])


def test_a_typed_dict_is_a_schema_of_its_name_and_what_it_names_comes_with_it() -> None:
    assert {"Sheet", "Mark", "Band"} <= set(_schema(_view(Sheet))["components"]["schemas"])
    assert _body(_operation(Sheet)["responses"]["200"]) == {"$ref": "#/components/schemas/Sheet"}


def test_a_property_says_its_unit() -> None:
    assert component(Mark)["properties"]["length"] == {"type": "number", "description": "mm"}


def test_a_docstring_describes_the_schema_and_nothing_is_inherited_where_there_is_none() -> None:
    assert component(Mark)["description"] == "One measured distance."
    assert "description" not in component(Sheet)


def test_a_key_that_may_be_missing_is_not_required() -> None:
    assert component(Mark)["required"] == ["length"]


@pytest.mark.parametrize(
    ("key", "schema"),
    [
        ("marks", {"type": "array", "items": {"$ref": "#/components/schemas/Mark"}}),
        ("by_name", {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Mark"}}),
        ("band", {"$ref": "#/components/schemas/Band"}),
        ("best", {"anyOf": [{"$ref": "#/components/schemas/Mark"}, {"type": "null"}]}),
        ("day", {"type": ["string", "null"], "format": "date"}),
        ("at", {"type": "string", "format": "date-time"}),
        ("kind", {"enum": ["sagittal", "coronal"], "type": "string"}),
    ],
)
def test_each_type_has_its_schema(key: str, schema: dict[str, Any]) -> None:
    assert component(Sheet)["properties"][key] == schema


def test_an_enum_lists_its_values() -> None:
    assert component(Band) == {
        "description": "Where a study stands in the list.",
        "enum": ["overdue", "ranked"],
        "type": "string",
    }


def test_a_pair_has_one_schema_for_each_place() -> None:
    schema = schema_of(tuple[float, int])
    assert schema["prefixItems"] == [{"type": "number"}, {"type": "integer"}]
    assert (schema["minItems"], schema["maxItems"]) == (2, 2)


def test_a_list_of_shapes_may_be_answered() -> None:
    answer = _body(_operation(list[Mark])["responses"]["200"])
    assert answer == {"type": "array", "items": {"$ref": "#/components/schemas/Mark"}}


def test_an_answer_without_a_body_has_no_content() -> None:
    assert "content" not in _operation(None, status=204)["responses"]["204"]


def test_bytes_are_answered_in_their_media_type() -> None:
    content = _operation(bytes, media_type="image/png")["responses"]["200"]["content"]
    assert content == {"image/png": {"schema": {"type": "string", "format": "binary"}}}


def test_a_further_status_has_its_own_shape() -> None:
    responses = _operation(Sheet, status=201, also={409: Mark})["responses"]
    assert _body(responses["409"]) == {"$ref": "#/components/schemas/Mark"}
    assert _body(responses["201"]) == {"$ref": "#/components/schemas/Sheet"}


def test_a_request_is_a_serializer_or_a_typed_dict() -> None:
    assert _body(_operation(None, asks=Question)["requestBody"]) == {"$ref": "#/components/schemas/Question"}
    assert _body(_operation(None, asks=Mark)["requestBody"]) == {"$ref": "#/components/schemas/Mark"}


def test_a_query_is_described_by_its_serializer() -> None:
    (parameter,) = _operation(Sheet, query=Question)["parameters"]
    assert (parameter["in"], parameter["name"], parameter["description"]) == ("query", "after", "how many to skip")


def test_every_operation_says_how_it_refuses() -> None:
    refusal = _body(_operation(Sheet)["responses"]["default"])
    assert {"$ref": "#/components/schemas/Problem"} in refusal["anyOf"]


def test_the_docstring_of_the_method_describes_the_operation() -> None:
    assert _operation(Sheet)["description"] == "Every sheet."


def test_a_function_can_be_a_view() -> None:
    @answers(Mark)
    @api_view(["GET"])
    def mark(request: Request) -> Response:
        return Response()

    assert _body(_schema(mark)["paths"]["/api/v1/x/"]["get"]["responses"]["200"])["$ref"].endswith("/Mark")


def test_a_published_shape_is_described_though_no_operation_answers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "_PUBLISHED", [])
    contract.published(Mark)
    assert "Mark" in _schema(_view(None))["components"]["schemas"]


def test_json_that_is_passed_on_is_described_by_its_shape() -> None:
    schema = schema_of(Annotated[dict[str, Any], Mark, "as it came"])
    assert schema == {"$ref": "#/components/schemas/Mark", "description": "as it came"}


def test_an_open_ended_shape_takes_other_keys() -> None:
    @contract.open_ended
    class Loose(TypedDict):
        name: str

    assert component(Loose)["additionalProperties"] == {}
    assert "additionalProperties" not in component(Mark)


def test_two_shapes_of_one_name_are_an_error() -> None:
    def another() -> type[Any]:
        class Mark(TypedDict):
            x: int

        return Mark

    with pytest.raises(Unnameable, match="Mark"):
        _schema(_view(Mark, also={409: another()}))


def test_a_shape_and_a_serializer_of_one_name_are_an_error() -> None:
    namesake = type("Mark", (Question,), {})
    with pytest.raises(Unnameable, match="Mark"):
        _schema(_view(Mark, asks=namesake))


def test_a_type_without_a_schema_is_an_error() -> None:
    with pytest.raises(Unnameable, match="complex"):
        schema_of(list[complex])
