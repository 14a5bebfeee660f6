"""Every action that the source gives an audit entry is ``noun.verb-past``.

``audit.record`` refuses any other, but only where a test comes by; this reads the source itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import audit

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("platform", "annotations", "inference", "training")
ACTION_TYPES = ("str", "str | None")


def _trees() -> Iterator[ast.Module]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ast.parse(path.read_text())


TREES = list(_trees())


def _takers(trees: list[ast.Module]) -> dict[str, int]:
    """Functions that are told an action, and the place of that argument, methods' ``self`` not counted."""
    found: dict[str, int] = {}
    for node in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        names = [each.arg for each in node.args.args if each.arg != "self"]
        typed = {each.arg: ast.unparse(each.annotation) for each in node.args.args if each.annotation}
        if typed.get("action") in ACTION_TYPES:
            found[node.name] = names.index("action")
    return found


def _given(call: ast.Call, place: int) -> list[ast.expr]:
    named = [word.value for word in call.keywords if word.arg == "action"]
    return named or call.args[place : place + 1]


def _literals(expression: ast.expr) -> list[str]:
    """The texts that an expression may be: itself, or either side of ``a if … else b``."""
    if isinstance(expression, ast.IfExp):
        return _literals(expression.body) + _literals(expression.orelse)
    is_text = isinstance(expression, ast.Constant) and isinstance(expression.value, str)
    return [expression.value] if is_text else []  # type: ignore[attr-defined]  # mypy forgets the check in is_text


def actions(trees: list[ast.Module]) -> set[str]:
    """What is passed as an action anywhere, and what a variable ``action`` or a constant ``…_VIEWED`` is given."""
    takers, found = _takers(trees), set[str]()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func).rpartition(".")[2]) in takers:
            found.update(text for given in _given(node, takers[name]) for text in _literals(given))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).lower().endswith(("action", "_viewed")):
            found.update(_literals(node.value))
    return found


def test_every_action_in_the_source_is_a_noun_and_a_verb_in_the_past() -> None:
    named = actions(TREES)
    assert len(named) > 60
    assert {action for action in named if not audit.ACTION.fullmatch(action)} == set()


@pytest.mark.parametrize(
    "line",
    ['record(None, "study.view")', 'record(None, action="study.view")', 'action = "a.viewed" if x else "study.view"'],
)
def test_the_guard_sees_an_action_wherever_it_is_written(line: str) -> None:
    source = f"def record(request: object, action: str) -> None: ...\n{line}\n"
    assert "study.view" in actions([ast.parse(source)])
