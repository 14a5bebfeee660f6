"""No module imports in a circle, types alone included: what cannot be read alone cannot be changed alone."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp

ROOMS = ("common", "config", "accounts", "jobs", "live", "studies", "worklist", "annotations", "inference", "training")


def circle(imports: dict[str, set[str]]) -> list[str]:
    """The modules of one circle, in order; none if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_in_a_circle() -> None:
    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=False, cache_dir=None)
    assert len(graph.modules) > 200
    assert circle({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
