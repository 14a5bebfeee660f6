"""Build the environment that make uses, from the standard library alone.

A virtual environment with the pinned uv, which then installs exactly what requirements-dev.txt names, by hash.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)


def pinned(name: str, requirements: str) -> str:
    """The lines of one package, version and hashes, out of a requirements file. Raises LookupError if it has none."""
    lines = requirements.splitlines()
    for start, line in enumerate(lines):
        if line.startswith(f"{name}=="):
            end = next(at for at in range(start, len(lines)) if not lines[at].endswith("\\"))
            return "\n".join(lines[start : end + 1]) + "\n"
    raise LookupError(f"{name} is not pinned")


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, env={"UV_HTTP_TIMEOUT": "300", **os.environ})


def build(folder: Path, requirements: Path) -> None:
    """Create the environment if it is missing and make it hold what the requirements say, no more and no less."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    uv = folder / "bin" / "uv"
    if not uv.exists():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(pinned("uv", requirements.read_text()))
            file.flush()
            _run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", file.name)
    _run(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", requirements)


def main() -> int:
    if sys.version_info < OLDEST:
        sys.stderr.write("Fontanelle needs Python 3.11 or newer: run make PYTHON=/path/to/python3.11\n")
        return 1
    build(Path(sys.argv[1]).absolute(), ROOT / "requirements-dev.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
