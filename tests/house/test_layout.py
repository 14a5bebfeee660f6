"""The rules of the house that no import can check."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 120
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org|[a-z0-9.-]*\bartifactory\b", re.I
)
# A folder of one machine as the first part of a path; not "/workers", nor a folder of that name further down.
MACHINE_PATH = re.compile(r"""(?<![\w.}\])/*-])/(?:work|root|home/\w+)/[\w.]""")


def tracked() -> list[Path]:
    """Text files under version control that are still on disk."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def _mentions(pattern: re.Pattern[str]) -> list[str]:
    texts = ((path, path.read_text(errors="replace")) for path in tracked() if path != Path(__file__))
    return [f"{path.relative_to(ROOT)}: {found.group()}" for path, text in texts if (found := pattern.search(text))]


def test_platform_holds_no_module_that_could_shadow_the_standard_library() -> None:
    assert list((ROOT / "platform").glob("*.py")) == []


def test_no_tracked_file_names_a_package_registry() -> None:
    assert _mentions(REGISTRY) == []


def test_no_tracked_file_holds_a_path_of_one_machine() -> None:
    assert _mentions(MACHINE_PATH) == []


def _long_lines(path: Path) -> list[str]:
    lines = enumerate(path.read_text().splitlines(), start=1)
    return [f"{path.relative_to(ROOT)}:{number}" for number, line in lines if len(line) > WIDTH]


def test_no_line_of_typescript_is_longer_than_120_characters() -> None:
    # Biome breaks code and leaves text and comments as they are.
    scripts = [path for path in tracked() if path.suffix == ".ts"]
    assert scripts
    assert [line for path in scripts for line in _long_lines(path)] == []


def test_the_layers_of_imports_hold() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    roots = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"}
    result = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, env=roots)
    assert result.returncode == 0, result.stdout


def test_models_and_migrations_agree() -> None:
    command = [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("line", "found"),
    [('"/root/main/x"', True), ("see /root/.cache", True), ("var/root/main", False), ("VAR / 'work'", False)],
)
def test_the_path_guard_sees_what_it_should(line: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) is found
