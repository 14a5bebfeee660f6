"""Labels that somebody has already, from a file: each row is judged alone, and a trial run changes nothing.

A row becomes a committed read in the context "import" of the person whom the row names, or of who imports. A row that
says what that reader's read of the study says already changes nothing, so a file can be imported again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from django.db import transaction

from accounts.models import User
from annotations.exchange import import_storage
from annotations.exchange.csv_json import LEADING, TRAILING
from annotations.exchange.import_files import lines
from annotations.exchange.import_rows import ImportRow, Outcome, RowReader
from annotations.label_schema.schema import Findings
from annotations.models import Context, ReadRevision
from studies.models import Clip

_AT_ONCE = 500
_OURS = {*LEADING, *TRAILING, "id", "findings", "coverage", "device"}
"""Columns that an export has besides the fields of a schema."""
Item = TypeVar("Item")
FrameCounts = dict[int, dict[str, int]]
"""study → clip → how many frames it has."""
Answers = dict[tuple[int, int], list[tuple[str, Findings]]]
"""(study, reader) → (context, findings) of what counts of each read."""


@dataclass
class ImportResult:
    """What became, or would become, of a file."""

    rows: list[ImportRow]
    unused: list[str]
    """Columns that no field of the schema is called like."""

    @property
    def counts(self) -> dict[Outcome, int]:
        """Rows by what became of them."""
        return dict(Counter(row.outcome for row in self.rows))


class Importer:
    """One import by one person. ``confirmed``: what does not go together is meant. ``key``: of the export."""

    def __init__(self, user: User, *, confirmed: bool = False, key: str = "") -> None:
        self.reader = RowReader(user, confirmed=confirmed, key=key)

    def judge(self, data: bytes) -> ImportResult:
        """What would become of each row. Raises BadFile."""
        rows: list[ImportRow] = []
        columns: set[str] = set()
        for line in lines(data):
            columns |= line[1].keys()
            rows.append(self.reader.row(line))
        _compare([row for row in rows if row.study])
        return ImportResult(rows, sorted(columns - self.reader.used - _OURS))

    def store(self, data: bytes) -> ImportResult:
        """Judge, and store what is new, some hundred rows at a time: nobody's draft waits for a long file.

        Raises BadFile.
        """
        result = self.judge(data)
        digest = hashlib.sha256(data).hexdigest()
        for batch in _batches(row for row in result.rows if row.outcome in ("new", "changed")):
            with transaction.atomic():
                import_storage.store(batch, definition=self.reader.in_force.definition.name, digest=digest)
        return result


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch


def _compare(rows: list[ImportRow]) -> None:
    """Set the outcome of rows whose study is known, from what is there."""
    frames = _frame_counts(row for row in rows if _marked_frames(row))
    answers = _answers({row.study for row in rows})
    for row in rows:
        known = answers.get((row.study, row.reader), [])
        if problem := _misplaced(row, frames):
            row.outcome, row.reason = "refused", problem
        elif any(essence(findings) == essence(row.findings) for _, findings in known):
            row.outcome = "unchanged"
        else:
            row.outcome = "changed" if any(context == Context.IMPORT for context, _ in known) else "new"


def essence(findings: Findings) -> Findings:
    """What a re-import must give again: all but the numbers that the server puts there and texts that people typed."""
    drawn = [
        {name: value for name, value in drawing.items() if name not in ("measured", "label")}
        for drawing in findings.get("drawings", [])
    ]
    return {**findings, "drawings": drawn}


def _marked_frames(row: ImportRow) -> list[tuple[str, int]]:
    """(clip, frame) of each keyframe and drawing."""
    marks = [*row.findings.get("keyframes", ()), *row.findings.get("drawings", ())]
    return [(mark["sop_uid"], mark["frame"]) for mark in marks]


def _misplaced(row: ImportRow, frames: FrameCounts) -> str:
    of_study = frames.get(row.study, {})
    inside = all(frame <= of_study.get(sop_uid, 0) for sop_uid, frame in _marked_frames(row))
    return "" if inside else "A keyframe or drawing is on no frame of this study."


def _frame_counts(rows: Iterable[ImportRow]) -> FrameCounts:
    counts: FrameCounts = {}
    for batch in _batches({row.study for row in rows}):
        for study, sop, frames in Clip.objects.filter(study__in=batch).values_list("study", "sop_uid", "frames"):
            counts.setdefault(study, {})[sop] = frames
    return counts


def _answers(studies: set[int]) -> Answers:
    answers: Answers = {}
    for batch in _batches(studies):
        for last in ReadRevision.objects.counting().filter(read__study__in=batch).select_related("read"):
            key = (last.read.study_id, last.read.reader_id)
            answers.setdefault(key, []).append((last.read.context, last.findings))
    return answers
