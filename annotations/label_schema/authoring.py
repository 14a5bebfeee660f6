"""What somebody writes as the next version of the label schema, or of "positive", checked before it counts. Pure.

Some fields are built in: grades per side, the quality and so on are what the reading order, agreement and reference
labels work with. Their titles and descriptions are a site's; what they can say is not, but for the scheme of the
grades. A site's own fields are booleans, answers in words, numbers and texts.
"""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from annotations.label_schema import conditions
from annotations.label_schema.schema import SIDES, Messages, Rule, Schema, shipped

MAX_BYTES = 64_000
MAX_OWN = 40
MAX_OPTIONS = 30
MAX_TEXT = 2000
FLAGS = ("phi", "other_ich", "phvd", "uncertain")
BUILT_IN = (*SIDES, *FLAGS, "cerebellar", "pvl", "quality")
FIXED = ("keyframes", "drawings")
WORDS = {
    "cerebellar": {"none", "left", "right", "both", "not_assessed"},
    "quality": {"good", "limited", "non_diagnostic"},
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_KEY = re.compile(r"[ad]|Alt\+[a-z0-9]")
_TOP = {"$schema", "title", "description", "type", "additionalProperties", "required", "properties", "x-asks"}
_RULE = {"title", "description", "type", "default", "oneOf", "minimum", "maximum", "maxLength", "x-key", "x-when"}
_SHIPPED = shipped()["papile-2"]["properties"]


def whole(document: Any, name: str) -> dict[str, Any]:
    """The document as it is kept: what is always the same is written by us."""
    properties = {field: rule for field, rule in document["properties"].items() if field not in ("schema", *FIXED)}
    properties = {"schema": {"const": name}, **properties, **{field: _SHIPPED[field] for field in FIXED}}
    written = {part: document[part] for part in ("title", "description", "x-asks") if part in document}
    return {
        "$schema": Draft202012Validator.META_SCHEMA["$id"],
        **written,
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def check(document: Any) -> Messages:
    """What is wrong with a document, by its part; empty where nothing is."""
    if messages := _shape(document):
        return messages
    properties: dict[str, Any] = document["properties"]
    messages = {
        f"properties.{field}": [problem]
        for field, rule in properties.items()
        if field not in ("schema", *FIXED) and (problem := _rule(field, rule))
    }
    missing = ["This field is part of every version: agreement and labels need it."]
    messages |= {f"properties.{field}": missing for field in BUILT_IN if field not in properties}
    if messages:
        return messages
    return _together(properties) | _asks(document.get("x-asks", []), {*properties, "schema", *FIXED})


def _shape(document: Any) -> Messages:
    if not isinstance(document, dict):
        return {"document": ["A schema is an object."]}
    if len(json.dumps(document)) > MAX_BYTES:
        return {"document": [f"A schema has at most {MAX_BYTES // 1000} kB."]}
    if unknown := sorted(set(document) - _TOP):
        return {part: ["A label schema has no such part."] for part in unknown}
    try:
        Draft202012Validator.check_schema(document)
    except SchemaError as error:
        return {
            ".".join(map(str, error.absolute_path)) or "document": [f"This is no JSON Schema: {error.message}"[:500]]
        }
    if not isinstance(document.get("title"), str) or not 0 < len(document["title"]) <= 100:
        return {"title": ["A schema has a title of at most 100 characters."]}
    if not isinstance(document.get("properties"), dict):
        return {"properties": ["A schema has properties: the fields of the form."]}
    if len(document["properties"]) > MAX_OWN + len(BUILT_IN) + len(FIXED) + 1:
        return {"properties": [f"A form has at most {MAX_OWN} fields of a site's own."]}
    return {}


def _rule(field: str, rule: Any) -> str:
    """What is wrong with one field."""
    if not _NAME.fullmatch(field):
        return "A field is named in small letters, digits and underscores, 32 at most."
    if not isinstance(rule, dict) or not isinstance(rule.get("title"), str) or not 0 < len(rule["title"]) <= 60:
        return "A field has a title of at most 60 characters."
    if unknown := sorted(set(rule) - _RULE):
        return f"A field of a form has no {', '.join(unknown)}."
    if "default" not in rule or not Draft202012Validator(rule).is_valid(rule["default"]):
        return "A field has a default that it would take as an answer."
    return _answers(field, rule)


def _answers(field: str, rule: Rule) -> str:
    """What is wrong with the answers that a field takes."""
    if field in SIDES:
        return _grades(rule)
    if field in FLAGS:
        return "" if rule.get("type") == "boolean" else "This field is true or false."
    if field == "pvl":
        graded = rule.get("type") == "boolean" or _consts(rule) == list(range(5))
        return "" if graded else "PVL is true or false, or 0 to 4."
    if field in WORDS:
        words = {word for word in _consts(rule) if isinstance(word, str)}
        expected = f"The answers are {', '.join(sorted(WORDS[field]))}: name them as you like."
        return "" if words == WORDS[field] else expected
    return _kind(rule)


def _consts(rule: Rule) -> list[Any]:
    options = rule.get("oneOf", [])
    return [option.get("const") for option in options if isinstance(option, dict)]


def _grades(rule: Rule) -> str:
    """Nothing said, then 0 to 3 or 0 to 4."""
    consts = _consts(rule)
    right = consts in ([None, 0, 1, 2, 3], [None, 0, 1, 2, 3, 4]) and rule["default"] is None
    return _options(rule) if right else "Grades are null, then 0 to 3 or 0 to 4, and null is the default."


def _options(rule: Rule) -> str:
    options = rule["oneOf"]
    plain = all(set(option) <= {"const", "title", "description"} and option.get("title") for option in options)
    texts = all(value is None or isinstance(value, (str, int, bool)) for value in _consts(rule))
    if not plain or not texts or len(_consts(rule)) != len(options):
        return 'Answers in words are a list of {"const": value, "title": "word"}.'
    return "" if len(options) <= MAX_OPTIONS else f"At most {MAX_OPTIONS} answers fit a form."


def _kind(rule: Rule) -> str:
    if "oneOf" in rule:
        return _options(rule)
    kinds = rule.get("type")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds or [])
    if kinds == {"boolean"}:
        return ""
    if kinds == {"string"}:
        longest = rule.get("maxLength", MAX_TEXT + 1)
        return "" if longest <= MAX_TEXT else f"A text has a maxLength of at most {MAX_TEXT}."
    if kinds in ({"number", "null"}, {"integer", "null"}):
        bounded = "minimum" in rule and "maximum" in rule and rule["default"] is None
        return "" if bounded else "A number has a minimum, a maximum and the default null, which says nothing."
    return 'A field is of the type "boolean", "string", ["number", "null"] or ["integer", "null"], or has "oneOf".'


def _together(properties: dict[str, Any]) -> Messages:
    messages: Messages = {}
    if _consts(properties["right"]) != _consts(properties["left"]):
        messages["properties.left"] = ["Both sides have the same grades."]
    built_in = {field: _SHIPPED[field]["x-key"] for field in BUILT_IN}
    used: dict[str, str] = {}
    for field, rule in properties.items():
        if "x-key" in rule and (problem := _key(field, rule["x-key"], built_in, used)):
            messages[f"properties.{field}"] = [problem]
        if "x-when" in rule and (problem := conditions.wrong(rule["x-when"], properties)):
            messages[f"properties.{field}"] = [problem]
    return messages


def _key(field: str, key: Any, built_in: dict[str, str], used: dict[str, str]) -> str:
    """What is wrong with the key that gives a field; ``used``: the fields by the keys seen so far."""
    if field in built_in:
        right = key == built_in[field]
        return "" if right else f"The key of this field is {built_in[field]}; a person can change it in ?."
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return "The key of a site's own field is a, d, or Alt+ and a letter or digit: the others are taken."
    other = used.setdefault(key, field)
    return "" if other == field else f"{other} has this key already."


def _asks(asks: Any, known: set[str]) -> Messages:
    if not isinstance(asks, list):
        return {"x-asks": ["What is asked about is a list."]}
    for number, entry in enumerate(asks):
        if problem := _ask(entry, known):
            return {f"x-asks.{number}": [problem]}
    return {}


def _ask(entry: Any, known: set[str]) -> str:
    question = entry.get("ask") if isinstance(entry, dict) else None
    if not isinstance(question, str) or not 0 < len(question) <= 300:
        return 'An entry has "ask", the sentence that the reader sees, and "all" or "any".'
    return conditions.wrong({part: entry[part] for part in entry if part != "ask"}, known)


def check_definition(rule: Any, schema: Schema) -> Messages:
    """What is wrong with a definition of positive."""
    if not isinstance(rule, dict) or set(rule) - {"title", "description", "any"}:
        return {"rule": ['A definition is an object of "title", "description" and "any".']}
    if not isinstance(rule.get("title"), str) or not 0 < len(rule["title"]) <= 100:
        return {"title": ["A definition has a title of at most 100 characters."]}
    problem = conditions.wrong({"any": rule.get("any")}, schema.properties)
    return {"any": [problem]} if problem else _decidable(rule, schema)


def _decidable(rule: Rule, schema: Schema) -> Messages:
    """A definition under which everything is positive is a slip."""
    negative = {**schema.empty, "right": 0, "left": 0}
    always = conditions.holds({"any": rule["any"]}, negative)
    return {"any": ["A study without any finding would be positive."]} if always else {}
