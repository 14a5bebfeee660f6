"""Find what the tests drive: Chromium, databases, other decoders, ffmpeg. As root on Debian, install what lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


class Missing(Exception):
    """Something the tests need is not installed and could not be."""


@dataclass(frozen=True)
class Programs:
    """Where the programs are."""

    chromium: Path
    postgres: Path
    """The folder of initdb and postgres."""
    redis: Path


def _on_path(*names: str) -> Path | None:
    program = next((path for name in names if (path := shutil.which(name))), None)
    return Path(program) if program else None


def chromium() -> Path | None:
    """``FONTANELLE_CHROMIUM``, or a Chromium or Chrome on the path."""
    named = os.environ.get("FONTANELLE_CHROMIUM")
    return Path(named) if named else _on_path("chromium", "chromium-browser", "google-chrome")


def postgres() -> Path | None:
    """The newest of Debian's PostgreSQL folders, or the folder of ``initdb`` on the path."""
    versions = [folder.parent for folder in DEBIAN_POSTGRES.glob("*/bin/initdb")]
    if versions:
        return max(versions, key=lambda folder: int(folder.parent.name))
    # Some distributions put a wrapper script called initdb on the path; only a real one has postgres beside it.
    initdb = _on_path("initdb")
    return initdb.resolve().parent if initdb and (initdb.resolve().parent / "postgres").exists() else None


def redis() -> Path | None:
    """A Redis server, or Valkey, which speaks the same protocol."""
    return _on_path("redis-server", "valkey-server")


def dicom3tools() -> Path | None:
    """David Clunie's dciodvfy, which holds an object to the rules of its IOD."""
    return _on_path("dciodvfy")


def dcmtk() -> Path | None:
    """OFFIS's tools: a second decoder, and a second reader of reports."""
    return _on_path("dsr2html")


def openjpeg() -> Path | None:
    """OpenJPEG's own program: a second decoder of JPEG 2000."""
    return _on_path("opj_decompress")


def ffmpeg() -> Path | None:
    """What plays videos; without it they are kept and named, and their tests are left out."""
    return _on_path("ffmpeg")


FINDERS: dict[str, Callable[[], Path | None]] = {
    "chromium": chromium,
    "postgresql": postgres,
    "redis-server": redis,
    "dicom3tools": dicom3tools,
    "dcmtk": dcmtk,
    "libopenjp2-tools": openjpeg,
    "ffmpeg": ffmpeg,
}


def missing() -> list[str]:
    """Names of Debian's packages that are not installed."""
    return [package for package, find in FINDERS.items() if find() is None]


def _install(packages: list[str]) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(
            f"The tests need {', '.join(packages)}; nothing was changed. "
            f"Install them (on Debian: sudo apt-get install {' '.join(packages)}) and run this again."
        )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet, stdout=sys.stderr)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, env=quiet, stdout=sys.stderr)


def ensure() -> Programs:
    """All of them, installed if need be. Raises Missing, naming what could not be installed."""
    if packages := missing():
        _install(packages)
    paths = {package: find() for package, find in FINDERS.items()}
    if absent := [package for package, path in paths.items() if path is None]:
        raise Missing(f"{', '.join(absent)} was installed and still cannot be found.")
    browser, database, broker, *_ = (path for path in paths.values() if path is not None)
    return Programs(browser, database, broker)


def main() -> int:
    try:
        programs = ensure()
    except Missing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Chromium {programs.chromium}, PostgreSQL {programs.postgres}, Redis {programs.redis}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
