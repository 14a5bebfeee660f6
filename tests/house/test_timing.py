"""`make test` says where its time went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from scripts.timing import PARTS, SLOWEST, seconds_of, tables

ROOT = Path(__file__).resolve().parents[2]
TESTS = "def test_one():\n    pass\n\n\ndef test_two():\n    pass\n"


def test_setting_up_and_tearing_down_count_for_their_test() -> None:
    reports = [SimpleNamespace(nodeid="a", when=when, duration=2.0) for when in ("setup", "call", "teardown")]
    assert seconds_of([*reports, SimpleNamespace(nodeid="b", when="collect", duration=9.0)]) == {"a": 6.0}


def test_folders_are_summed_and_the_slowest_tests_come_first() -> None:
    tests = {"tests/a/test_x.py::one": 1.0, "tests/b/c/test_y.py::two": 3.0, "tests/a/test_z.py::three": 4.0}
    _, folders, slowest = tables({}, tests).values()
    assert list(folders) == [("tests/a", 5.0), ("tests/b", 3.0)]
    assert next(iter(slowest)) == ("tests/a/test_z.py::three", 4.0)


def test_no_more_than_the_slowest_are_named() -> None:
    *_, slowest = tables({}, {f"tests/a/test_x.py::{number}": 1.0 for number in range(SLOWEST + 5)}).values()
    assert len(list(slowest)) == SLOWEST


def test_the_output_closes_on_pytests_summary(tmp_path: Path) -> None:
    (tmp_path / "test_here.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "scripts.timing", "-p", "no:django", "-q", "-n", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), PARTS: json.dumps({"style": 12.5})}
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    assert "    12.5  style\n" in printed
    assert "  test_here.py::test_two\n" in printed
    assert "2 passed" in printed.splitlines()[-1]
