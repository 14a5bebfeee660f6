"""ARCHITECTURE.md names what is there: a newcomer opens the file that it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
ROWS = [line.split("|")[1:3] for line in TEXT.splitlines() if line.startswith("| `")]


def _words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _is_there(folder: Path, name: str) -> bool:
    return any((folder / f"{name}{ending}").exists() for ending in ("", ".py", ".ts"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_each_room_and_each_file_that_is_named_is_there(row: list[str]) -> None:
    folders = [ROOT / word for word in _words(row[0])]
    assert [folder for folder in folders if not folder.is_dir()] == []
    lost = [word for word in _words(row[1]) if not any(_is_there(place, word) for place in [*folders, ROOT])]
    assert lost == []


def test_every_room_is_named() -> None:
    named = {word for row in ROWS for word in _words(row[0])}
    packages = {
        path.parent
        for top in ("annotations", "platform", "inference", "training")
        for path in ROOT.glob(f"{top}/**/__init__.py")
    }
    rooms = {
        str(path.relative_to(ROOT))
        for path in packages
        if not {"management", "commands", "migrations"} & set(path.parts)
    }
    assert {room for room in rooms if room not in named} <= {"annotations"}
