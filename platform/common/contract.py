"""What an endpoint takes and answers, stated once in Python; OpenAPI and the front end's types follow from it.

A view method is decorated with ``@answers(Shape, asks=Serializer, query=Serializer)``. A shape is a TypedDict, or
anything made of them (``list[Row]``, ``Row | None``, ``dict[str, Row]``), a serializer, or None for no body. Each
TypedDict and each enum becomes a schema of its class's name: the docstring is its description, and
``Annotated[float, "mm"]`` gives a property its unit or meaning.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.serializers import BaseSerializer, Serializer

Json = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])
Shape = TypeVar("Shape", bound=type[Any])

COMPONENTS = "#/components/schemas/"
_PLAIN: dict[Any, Json] = {
    Any: {},
    object: {},
    None: {"type": "null"},
    NoneType: {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "format": "binary"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    UUID: {"type": "string", "format": "uuid"},
    Decimal: {"type": "string", "format": "decimal"},
    dict: {"type": "object", "additionalProperties": {}},
    list: {"type": "array", "items": {}},
}

_PUBLISHED: list[type[Any]] = []
_OPEN_ENDED: set[type[Any]] = set()


class Problem(TypedDict):
    """Why a request was refused. Some refusals carry further facts beside these two."""

    detail: Annotated[str, "what is wrong, in a sentence for a person"]
    code: Annotated[str, "the same for a program"]


class Unnameable(TypeError):
    """A type that no schema can be made of, or two types of one name."""


class Schema(AutoSchema):
    """Operations are named by method and path, which no two of them share."""

    def get_operation_id(self) -> str:
        words = self.path.strip("/").replace("/", "_").replace("-", "_").replace("{", "").replace("}", "")
        return f"{self.method.lower()}_{words}"


def answers(
    shape: Any,
    *,
    asks: Any = None,
    query: type[Serializer[Any]] | None = None,
    status: int = 200,
    also: Mapping[int, Any] | None = None,
    media_type: str = "application/json",
    files: Sequence[str] = (),
    summary: str | None = None,
    description: str | None = None,
) -> Callable[[View], View]:
    """States what a view's method answers (``shape`` with ``status``), takes as its body (``asks``) and its query.

    ``also``: further statuses and their shapes. ``asks``: a serializer, a TypedDict, or a mapping from media type to
    one of them. ``media_type``: of the answer, for a shape of ``bytes``; ``files``: those of the bytes that the same
    status answers instead of the shape. The method's docstring is the description unless one is given.
    """
    responses = {
        (code, media_type if code == status else "application/json"): _response(each)
        for code, each in {status: shape, **(also or {})}.items()
    }
    responses |= {(status, each): _response(bytes) for each in files}
    return extend_schema(
        request=_request(asks),
        parameters=[query] if query else None,
        responses=responses,
        summary=summary,
        description=description,
    )


def _response(shape: Any) -> OpenApiResponse:
    return OpenApiResponse(_shape(shape), description="" if shape is not None else "No content.")


def _request(asks: Any) -> Any:
    """drf-spectacular takes a dict as one body for each media type."""
    if isinstance(asks, Mapping):
        return {media_type: _shape(shape) for media_type, shape in asks.items()}
    return asks if asks is None or _is_serializer(asks) else {"application/json": schema_of(asks)}


def _shape(shape: Any) -> Any:
    return shape if shape is None or _is_serializer(shape) else schema_of(shape)


def _is_serializer(shape: Any) -> bool:
    return isinstance(shape, BaseSerializer) or (inspect.isclass(shape) and issubclass(shape, BaseSerializer))


class Reference(dict[str, Any]):
    """A ``$ref`` that remembers its class, so that the components can be collected from the finished paths."""

    def __init__(self, named: type[Any]) -> None:
        super().__init__({"$ref": f"{COMPONENTS}{named.__name__}"})
        self.named = named


def published(shape: Shape) -> Shape:
    """A TypedDict that no operation answers but that a page reads: a message of the WebSocket, a page's own data."""
    _PUBLISHED.append(shape)
    return shape


def open_ended(shape: Shape) -> Shape:
    """A TypedDict beside whose keys others may stand, of any type."""
    _OPEN_ENDED.add(shape)
    return shape


def schema_of(hint: Any) -> Json:
    """The JSON schema of a type; TypedDicts and enums are references. Raises Unnameable."""
    if is_typeddict(hint) or (inspect.isclass(hint) and issubclass(hint, Enum)):
        return Reference(hint)
    if isinstance(hint, NewType):
        return schema_of(hint.__supertype__)
    origin = get_origin(hint)
    if origin is None:
        return _plain(hint)
    for origins, build in _GENERIC:
        if origin in origins:
            return build(get_args(hint))
    raise Unnameable(f"{hint} has no schema")


def _plain(hint: Any) -> Json:
    try:
        return dict(_PLAIN[hint])
    except (KeyError, TypeError):
        raise Unnameable(f"{hint} has no schema") from None


def _annotated(arguments: tuple[Any, ...]) -> Json:
    """``Annotated[dict[str, Any], Shape]`` is JSON that the program passes on as it came, and that has that shape."""
    shapes = [each for each in arguments[1:] if is_typeddict(each)]
    schema = schema_of(shapes[0] if shapes else arguments[0])
    meaning = [text for text in arguments[1:] if isinstance(text, str)]
    if meaning:
        schema["description"] = "; ".join(meaning)
    return schema


def _literal(values: tuple[Any, ...]) -> Json:
    plain = [value.value if isinstance(value, Enum) else value for value in values]
    kinds = {type(value) for value in plain}
    return {"enum": plain, **(_PLAIN[kinds.pop()] if len(kinds) == 1 else {})}


def _union(arguments: tuple[Any, ...]) -> Json:
    """``X | None`` of a plain type keeps its form, with "null" as a second type."""
    others = [each for each in arguments if each is not NoneType]
    schemas = [schema_of(each) for each in others]
    if len(others) == len(arguments):
        return {"anyOf": schemas}
    only = schemas[0]
    if len(schemas) == 1 and "enum" not in only and isinstance(only.get("type"), str):
        return {**only, "type": [only["type"], "null"]}
    return {"anyOf": [*schemas, {"type": "null"}]}


def _array(arguments: tuple[Any, ...]) -> Json:
    return {"type": "array", "items": schema_of(arguments[0])}


def _tuple(arguments: tuple[Any, ...]) -> Json:
    if arguments[1:] == (Ellipsis,):
        return _array(arguments)
    size = len(arguments)
    return {
        "type": "array",
        "prefixItems": [schema_of(each) for each in arguments],
        "minItems": size,
        "maxItems": size,
    }


def _mapping(arguments: tuple[Any, ...]) -> Json:
    return {"type": "object", "additionalProperties": schema_of(arguments[1])}


def _bare(arguments: tuple[Any, ...]) -> Json:
    return schema_of(arguments[0])


_GENERIC: list[tuple[set[Any], Callable[[tuple[Any, ...]], Json]]] = [
    ({Annotated}, _annotated),
    ({Required, NotRequired}, _bare),
    ({Literal}, _literal),
    ({Union, UnionType}, _union),
    ({list, set, frozenset, Sequence}, _array),
    ({tuple}, _tuple),
    ({dict, Mapping}, _mapping),
]


def component(named: type[Any]) -> Json:
    """The schema behind the name of a TypedDict or an enum."""
    if issubclass(named, Enum):
        return _with_doc(named, _literal(tuple(named)))
    hints = get_type_hints(named, include_extras=True)
    return _with_doc(
        named,
        {
            "type": "object",
            "properties": {key: schema_of(hint) for key, hint in hints.items()},
            "required": [key for key, hint in hints.items() if _always_there(named, key, hint)],
            **({"additionalProperties": {}} if named in _OPEN_ENDED else {}),
        },
    )


def _with_doc(named: type[Any], schema: Json) -> Json:
    """Only the class's own docstring: an enum or a TypedDict without one would show that of ``str`` or ``dict``."""
    doc = named.__dict__.get("__doc__")
    return {"description": inspect.cleandoc(doc), **schema} if doc else schema


def _always_there(named: type[Any], key: str, hint: Any) -> bool:
    """Asked of the hint, since a postponed annotation hides NotRequired from ``__required_keys__``."""
    qualifiers = set(_qualifiers(hint))
    if NotRequired in qualifiers:
        return False
    return Required in qualifiers or key in named.__dict__["__required_keys__"]


def _qualifiers(hint: Any) -> Iterator[Any]:
    while get_origin(hint) in {Annotated, Required, NotRequired}:
        yield get_origin(hint)
        hint = get_args(hint)[0]


def add_components(result: Json, generator: Any, **_: Any) -> Json:
    """Hook of drf-spectacular: the published schemas, those that the paths refer to, and whatever those refer to.

    Every operation of the API also says how it refuses. Raises Unnameable where two classes share a name.
    """
    for path, operations in result["paths"].items():
        if path.startswith("/api/v1/"):
            for operation in operations.values():
                operation["responses"]["default"] = _refusal()
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    known: dict[str, type[Any]] = {}
    pending = [*_PUBLISHED, *_named_in(result["paths"])]
    while pending:
        named = pending.pop()
        name = named.__name__
        if known.get(name) is named:
            continue
        if name in known or name in schemas:
            raise Unnameable(f"two schemas are called {name}; one is {named.__module__}.{named.__qualname__}")
        known[name] = named
        schemas[name] = component(named)
        pending.extend(_named_in(schemas[name]))
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def _refusal() -> Json:
    fields: Json = {"type": "object", "additionalProperties": {}, "description": "what is wrong, by field"}
    schema = {"anyOf": [Reference(Problem), fields]}
    return {"description": "Refused.", "content": {"application/json": {"schema": schema}}}


def _named_in(value: Any) -> Iterator[type[Any]]:
    if isinstance(value, Reference):
        yield value.named
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _named_in(each)
