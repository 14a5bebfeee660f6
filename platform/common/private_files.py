"""Files and folders that their owner alone may read. No Django, so that the settings may use it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")


def private_folder(path: Path) -> Path:
    """The folder, made if it is not there, closed to everybody else. One that is another user's stays as it is."""
    path.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    with suppress(PermissionError):
        path.chmod(FOLDER)
    return path


def private_database(path: Path) -> None:
    """A SQLite file and what lies beside it. Made empty if it is not there: SQLite gives the others its mode."""
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, FILE))
    for name in (path.name, *(path.name + companion for companion in SQLITE_COMPANIONS)):
        with suppress(OSError):
            path.with_name(name).chmod(FILE)
