"""``make test`` and ``make lint``: every check, pytest last, so that its summary closes the output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts import services
from scripts.timing import PARTS

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
# tests/conftest.py puts the files in order; xdist's own order, most tests first, would begin the slowest files last.
SHARED_OUT: list[str | Path] = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
PYTEST: list[str | Path] = [BIN / "python", "-m", "pytest", "-p", "scripts.timing", *SHARED_OUT, "-q"]


class Run:
    """The checks of one run: which failed, and the seconds that each took."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.seconds: dict[str, float] = {}

    def check(self, checks: Checks) -> None:
        """One command after the other, each with its output in one piece."""
        for name, command in checks.items():
            began = time.monotonic()
            result = _done(command)
            self._note(name, result.returncode == 0, began=began, said=result.stdout)

    def services(self) -> None:
        began = time.monotonic()
        self._note("services", services.main() == 0, began=began)

    def _note(self, name: str, passed: bool, *, began: float, said: str = "") -> None:
        self.seconds[name] = time.monotonic() - began
        if not passed:
            self.failed.append(name)
        outcome = f"   {'ok' if passed else 'FAILED'} in {self.seconds[name]:.0f} s"
        print(f"── {name}\n{said}{outcome}", flush=True)


def _done(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
    }
    words = [str(part) for part in command]
    return subprocess.run(words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main(arguments: list[str]) -> int:
    """Run all checks, or those of one kind; the exit status is 0 only if each passed."""
    run = Run()
    if arguments == ["lint"]:
        run.check(LINT)
        return int(bool(run.failed))
    with ThreadPoolExecutor(2) as both:  # mypy keeps one core busy, and the front end hardly more than the other
        list(both.map(run.check, (LINT, FRONTEND)))
    run.services()
    if run.failed:
        print(f"── pytest runs; before it FAILED: {', '.join(run.failed)}", flush=True)
    environment = {**os.environ, PARTS: json.dumps(run.seconds)}
    tests = subprocess.run([str(part) for part in [*PYTEST, *arguments]], cwd=ROOT, env=environment)
    return tests.returncode or int(bool(run.failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
