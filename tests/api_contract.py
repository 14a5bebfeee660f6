"""Every answer of the API in every test is held against what OpenAPI says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

Json = dict[str, Any]
API = "/api/v1/"
JSON_TYPE = "application/json"
FORMATS = FormatChecker(())
PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")


class ContractBroken(AssertionError):
    """An answer that is not what OpenAPI says, or a request that was granted though OpenAPI forbids it."""


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("date", raises=ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@lru_cache(maxsize=1)
def document() -> Json:
    """OpenAPI of the whole site."""
    with GENERATOR_STATS.silence():
        schema: Json = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    return schema


def operations() -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation of everything under /api/v1/."""
    for path, methods in document()["paths"].items():
        if path.startswith(API):
            yield from ((path, method, operation) for method, operation in methods.items())


def is_named(schema: Json) -> bool:
    """Whether a schema says what is in it: a component, or a list, a choice or a dictionary of them."""
    if "anyOf" in schema:
        return all(is_named(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return is_named(schema["items"])
    if schema.get("type") == "object":
        return is_named(schema.get("additionalProperties") or {})
    return "$ref" in schema or "type" in schema


def answers_of(operation: Json) -> Iterator[tuple[str, Json]]:
    """Status and schema of each answer in JSON that is not a refusal."""
    for status, response in operation["responses"].items():
        body = response.get("content", {}).get(JSON_TYPE)
        if body is not None and status != "default":
            yield status, body["schema"]


def _closed(value: Any) -> Any:
    """The same schema, with objects that have the properties it lists and no others."""
    if isinstance(value, list):
        return [_closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    closed = {key: _closed(each) for key, each in value.items()}
    if isinstance(value.get("properties"), dict) and "additionalProperties" not in value:
        closed["additionalProperties"] = False
    return closed


@lru_cache(maxsize=1)
def _registry() -> Any:
    contents = {"urn:open": document(), "urn:closed": _closed(document())}
    return Registry().with_resources((uri, DRAFT202012.create_resource(each)) for uri, each in contents.items())


@cache
def _validator(uri: str, *steps: str) -> Any:
    pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
    return Draft202012Validator({"$ref": f"{uri}#/{pointer}"}, registry=_registry(), format_checker=FORMATS)


class KeepsContract:
    """Middleware that raises ContractBroken on the first answer or granted request that OpenAPI does not describe."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        body = request.body if request.path.startswith(API) and request.content_type == JSON_TYPE else b""
        response = self.get_response(request)
        if request.path.startswith(API) and request.resolver_match:
            path = "/" + PLACEHOLDER.sub(r"{\1}", request.resolver_match.route)
            check(path, (request.method or "").lower(), response, body)
        return response


def check(path: str, method: str, response: HttpResponse, body: bytes) -> None:
    """Raises ContractBroken."""
    operation = document()["paths"].get(path, {}).get(method)
    if operation is None or response.status_code >= 500:
        return
    at = ("paths", path, method)
    status = str(response.status_code)
    if all(is_named(schema) for _, schema in answers_of(operation)):
        _check_answer(operation, at, status, response)
    if response.status_code < 300 and body and JSON_TYPE in operation.get("requestBody", {}).get("content", {}):
        _hold(json.loads(body), "urn:open", *at, "requestBody", "content", JSON_TYPE, "schema")


def _check_answer(operation: Json, at: tuple[str, ...], status: str, response: HttpResponse) -> None:
    refused = response.status_code >= 400
    described = status if status in operation["responses"] else "default"
    if described == "default" and not refused:
        raise ContractBroken(f"{at[2]} {at[1]} answers {status}, which OpenAPI does not list")
    content = operation["responses"][described].get("content", {})
    if response.headers.get("Content-Type", "").split(";")[0] != JSON_TYPE:
        return
    if JSON_TYPE not in content:
        raise ContractBroken(f"{at[2]} {at[1]} answers {status} with JSON, which OpenAPI does not list")
    uri = "urn:open" if refused else "urn:closed"
    _hold(json.loads(response.content), uri, *at, "responses", described, "content", JSON_TYPE, "schema")


def _hold(value: Any, uri: str, *steps: str) -> None:
    error: ValidationError | None = next(_validator(uri, *steps).iter_errors(value), None)
    if error is not None:
        where = " ".join((steps[2], steps[1], *steps[3:5]))
        raise ContractBroken(f"{where}: {error.json_path}: {error.message[:300]}")
