"""What a measure is compared with: reference lines that come with us, and centile tables that a site loads as files.

No centile is ours: published tables have their licences. A site puts one JSON file for each table into the folder that
FONTANELLE_CENTILES names; `docs/users/admin.md` gives the format. A file that is wrong is left out, and said.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict, get_args

from django.conf import settings

from annotations.measurements.drawings import PRESETS, Preset

Axis = Literal["postmenstrual_age_weeks", "day_of_life"]
AXES: tuple[Axis, ...] = get_args(Axis)
MOST_FILES = 50
MOST_BYTES = 1_000_000
MOST_ROWS = 500


ReferenceLine = TypedDict(
    "ReferenceLine",
    {
        "measure": Preset,
        "from": NotRequired[Annotated[float, "mm; where the line lies"]],
        "range": NotRequired[Annotated[list[float], "mm; the lower and the upper end"]],
        "text": str,
        "source": Annotated[str, "the publication"],
    },
)
"""A published limit (``from``) or normal range (``range``) of a measure, whatever the age."""


class CentileTable(TypedDict):
    """Centiles of a measure by age, as a site's file gives them."""

    measure: Preset
    source: Annotated[str, "the publication"]
    by: Axis
    centiles: Annotated[list[float], "between 0 and 100"]
    rows: Annotated[list[list[float]], "an age (weeks, or days), then the measure at each centile (mm; ri has no unit)"]


class LoadedTable(CentileTable):
    """A table and where it came from."""

    file: Annotated[str, "its name in the folder of tables"]


class TableProblem(TypedDict):
    """A file that could not be used."""

    file: str
    reason: str


class References(TypedDict):
    """What measures are compared with."""

    lines: list[ReferenceLine]
    tables: list[LoadedTable]
    problems: list[TableProblem]


LINES: list[ReferenceLine] = json.loads((Path(__file__).parent / "reference_lines.json").read_text())


class BadTable(Exception):
    """The message says what is wrong with the file."""


def references() -> References:
    """Lines, tables, and the files that could not be used with the reason."""
    tables, problems = load(settings.CENTILES)
    return {"lines": LINES, "tables": tables, "problems": problems}


def load(folder: Path | None) -> tuple[list[LoadedTable], list[TableProblem]]:
    """The tables of a folder, and the files of it that are none."""
    tables: list[LoadedTable] = []
    problems: list[TableProblem] = []
    if folder is None:
        return tables, problems
    if not folder.is_dir():
        return tables, [{"file": folder.name, "reason": "There is no such folder of centile tables."}]
    for path in sorted(folder.glob("*.json"))[:MOST_FILES]:
        try:
            tables.append({**table(_read(path)), "file": path.name})
        except BadTable as error:
            problems.append({"file": path.name, "reason": str(error)})
    return tables, problems


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadTable("It is larger than a megabyte.")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadTable("It cannot be read as JSON.") from error


def table(data: Any) -> CentileTable:
    """A centile table as it is drawn; raises BadTable."""
    if not isinstance(data, dict):
        raise BadTable("A table is an object.")
    if data.get("measure") not in [name for name in PRESETS if name]:
        raise BadTable(f"Its measure is one of {', '.join(filter(None, PRESETS))}.")
    if not (isinstance(data.get("source"), str) and data["source"].strip()):
        raise BadTable("It names no source.")
    if data.get("by") not in AXES:
        raise BadTable(f"It is by one of {', '.join(AXES)}.")
    _check_rows(data.get("centiles"), data.get("rows"))
    return {
        "measure": data["measure"],
        "source": data["source"],
        "by": data["by"],
        "centiles": data["centiles"],
        "rows": data["rows"],
    }


def _check_rows(centiles: Any, rows: Any) -> None:
    if not (isinstance(centiles, list) and centiles and all(map(_is_centile, centiles))):
        raise BadTable("Its centiles are numbers between 0 and 100.")
    if not (isinstance(rows, list) and 2 <= len(rows) <= MOST_ROWS):
        raise BadTable(f"It has 2 to {MOST_ROWS} rows.")
    for number, row in enumerate(rows, 1):
        if not (isinstance(row, list) and len(row) == len(centiles) + 1 and all(map(_is_number, row))):
            raise BadTable(f"Row {number} is not an age and {len(centiles)} numbers.")
    if any(later[0] <= row[0] for row, later in pairwise(rows)):
        raise BadTable("Its ages do not rise from row to row.")
    _check_order(centiles, rows)


def _check_order(centiles: list[float], rows: list[list[float]]) -> None:
    """At each age a higher centile is no smaller number, in whatever order the columns stand."""
    if len(set(centiles)) < len(centiles):
        raise BadTable("It has one centile twice.")
    columns = sorted(range(len(centiles)), key=lambda at: centiles[at])
    for number, row in enumerate(rows, 1):
        if min(row[1:]) < 0:
            raise BadTable(f"Row {number} holds a number below 0, which no measure is.")
        for low, high in pairwise(columns):
            if row[high + 1] < row[low + 1]:
                raise BadTable(f"In row {number} p{centiles[high]:g} lies below p{centiles[low]:g}: its curves cross.")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_centile(value: Any) -> bool:
    return _is_number(value) and 0 < value < 100
