"""What a command at a terminal says about a database that is not ready."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *command: str, **settings: str) -> str:
    """Run a management command on a site of its own that was never migrated; what it says as it fails."""
    own = {"FONTANELLE_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings", **settings}
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env={**environment, **own}, capture_output=True, text=True
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("command", [("score",), ("retrain",), ("ingest", "README.md"), ("worker", "--once")])
def test_without_tables_a_command_names_what_to_run(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = run(tmp_path, *command)
    assert "migrations are missing: run manage.py migrate first." in said
    assert "Traceback" not in said


def test_without_a_database_a_command_says_so(tmp_path: Path) -> None:
    said = run(tmp_path, "score", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert "The database does not answer" in said
    assert "Traceback" not in said
