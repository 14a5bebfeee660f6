"""Where the time of ``make test`` goes: a pytest plugin whose tables come before pytest's summary, which stays last."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

PARTS = "FONTANELLE_TEST_SECONDS"
"""The environment's name for the seconds of the parts that ran before pytest, as JSON."""
SLOWEST = 20
_began = time.monotonic()
Rows = Iterable[tuple[str, float]]


def tables(parts: dict[str, float], tests: dict[str, float]) -> dict[str, Rows]:
    """Seconds by part, by folder of tests, and of the slowest tests, with their setting up and tearing down."""
    folders: defaultdict[str, float] = defaultdict(float)
    for name, seconds in tests.items():
        folders["/".join(name.split("::")[0].split("/")[:2])] += seconds
    return {
        "part; lint and the front end run side by side": parts.items(),
        "folder; two processes share them": longest(folders),
        f"the {SLOWEST} slowest tests": longest(tests)[:SLOWEST],
    }


def longest(seconds: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda row: -row[1])


def seconds_of(reports: Iterable[Any]) -> dict[str, float]:
    """Seconds of each test: setting up, call and tearing down."""
    found: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        if getattr(report, "when", None) in ("setup", "call", "teardown"):
            found[report.nodeid] += report.duration
    return dict(found)


def _lines(found: dict[str, Rows]) -> Iterator[str]:
    for title, rows in found.items():
        yield f" seconds  {title}"
        yield from (f"{seconds:8.1f}  {name}" for name, seconds in rows)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    parts = {**json.loads(os.environ.get(PARTS, "{}")), "pytest": time.monotonic() - _began}
    terminalreporter.section("time")
    for line in _lines(tables(parts, seconds_of(reports))):
        terminalreporter.write_line(line)
