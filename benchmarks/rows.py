"""The figures: rows of one shape, merged into one file, printed as one table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from common.atomic_file import replacing

LATEST = Path(__file__).resolve().parent / "latest.json"
COLUMNS = ("name", "value", "unit", "goal", "met", "ratio", "against")


@dataclass(frozen=True)
class Row:
    """One figure. ``ratio``: the value divided by that of ``against``, both measured in the same run; or None."""

    name: str
    value: float
    unit: str
    goal: str
    met: bool
    command: str
    against: str = ""
    ratio: float | None = None


def merge(rows: Iterable[Row], path: Path = LATEST) -> list[dict[str, object]]:
    """Put rows into the file in place of those of the same names; the whole list, sorted by name."""
    known = {row["name"]: row for row in json.loads(path.read_text())} if path.exists() else {}
    known |= {row.name: asdict(row) for row in rows}
    merged = [known[name] for name in sorted(known)]
    with replacing(path) as file:
        file.write((json.dumps(merged, indent=1) + "\n").encode())
    return merged


def table(rows: list[dict[str, object]]) -> str:
    """The rows for a person; a goal that was missed says so."""
    cells = [list(COLUMNS), *([_cell(row[column]) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(COLUMNS))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "MISSED"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return "" if value is None else str(value)
