"""``make test`` and ``make lint``: every check in order, pytest last, so that its summary closes the output."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from scripts import services

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
Checks = dict[str, list[str | Path]]
LINT: Checks = {
    "style": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "types": [BIN / "mypy", "."],
    "imports": [BIN / "lint-imports"],
    "front end style": [BIN / "npm", "--prefix", "frontend", "run", "lint"],
}
FRONTEND: Checks = {
    "front end build": ["make", "--no-print-directory", "frontend"],
    "front end types": [BIN / "npm", "--prefix", "frontend", "run", "check"],
    "front end tests": [BIN / "npm", "--prefix", "frontend", "test"],
}
# A file stays on one worker: its tests share the site that its fixtures start. Groups do nothing under pytest 9.2.
PYTEST: list[str | Path] = [BIN / "python", "-m", "pytest", "-n", "2", "--dist", "loadfile", "-q"]


def _passes(name: str, command: list[str | Path]) -> bool:
    print(f"── {name}", flush=True)
    began = time.monotonic()
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
    }
    result = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment)
    print(f"   {'ok' if result.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return result.returncode == 0


def _failed(checks: Checks) -> list[str]:
    return [name for name, command in checks.items() if not _passes(name, command)]


def main(arguments: list[str]) -> int:
    """Run all checks, or those of one kind; the exit status is 0 only if each passed."""
    if arguments == ["lint"]:
        return int(bool(_failed(LINT)))
    failed = _failed(LINT) + _failed(FRONTEND)
    if services.main() != 0:
        failed.append("services")
    if failed:
        print(f"── pytest runs; before it FAILED: {', '.join(failed)}", flush=True)
    tests = subprocess.run([str(part) for part in [*PYTEST, *arguments]], cwd=ROOT)
    return tests.returncode or int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
