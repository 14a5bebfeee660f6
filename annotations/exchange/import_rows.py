"""One row of a file of labels as a reader's answer to a study, or the sentence that says why it cannot be one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from accounts.models import User
from annotations.exchange.cell_values import BadCell, CellReader, unquoted
from annotations.label_schema import versions
from annotations.label_schema.schema import MAX_COMMENT, BadFindings, Findings
from annotations.reads.blinding import blinded_uids
from common.sheets import Line
from studies import access
from studies.models import Clip
from studies.stand_ins import StandIns

Outcome = Literal["new", "changed", "unchanged", "refused"]


class ImportRowPayload(TypedDict):
    """A row of the file and what became of it."""

    line: int
    study_uid: str
    outcome: Outcome
    reason: str
    """Why it was refused, else empty."""
    positive: bool | None


@dataclass
class ImportRow:
    """A row of the file and what became of it."""

    line: int
    study_uid: str
    outcome: Outcome = "refused"
    reason: str = ""
    study: int = 0
    """Its key; 0 where the row was refused."""
    reader: int = 0
    findings: Findings = field(default_factory=dict)
    comment: str = ""
    positive: bool | None = None

    def as_json(self) -> ImportRowPayload:
        return {
            "line": self.line,
            "study_uid": self.study_uid,
            "outcome": self.outcome,
            "reason": self.reason,
            "positive": self.positive,
        }


class _Refused(Exception):
    """Why a row cannot be taken."""


class RowReader:
    """Reads the rows of one import. ``confirmed``: what does not go together is meant. ``key``: of the export."""

    def __init__(self, user: User, *, confirmed: bool = False, key: str = "") -> None:
        self.user = user
        self.confirmed = confirmed
        self.stand_ins = StandIns(key)
        self.in_force = versions.in_force()
        self.used: set[str] = set()
        """The names of columns that a field of a schema in the file is called by."""
        self._cells = {name: CellReader(schema) for name, schema in versions.all_schemas().items()}
        self._studies = _studies(user, self.stand_ins)
        self._people = _people(self.stand_ins)
        self._findings_of: dict[tuple[str, tuple[tuple[str, str], ...]], Findings | str] = {}
        """What equal cells said before, or what was wrong with them."""
        self._clip_uids: dict[str, str] | None = None
        self._line_of: dict[tuple[int, int], int] = {}

    def row(self, line: Line) -> ImportRow:
        """A row that can be taken has its study; whether it is new the importer finds out. One that cannot says why."""
        number, cells, problem = line
        row = ImportRow(number, cells.get("study_uid", "")[:64], reason=problem)
        if problem:
            return row
        reader = self._cells.get(cells.get("schema") or self.in_force.schema.name)
        self.used.update(reader.fields if reader else ())
        try:
            self._fill(row, cells, reader)
        except _Refused as refusal:
            row.reason = str(refusal)
            row.study = 0
        return row

    def _fill(self, row: ImportRow, cells: dict[str, str], reader: CellReader | None) -> None:
        study = self._studies.get(row.study_uid)
        if study is None:
            raise _Refused(f"No study has the UID {row.study_uid}." if row.study_uid else "The study_uid is empty.")
        row.reader = self._person(cells.get("reader", ""))
        if (earlier := self._line_of.setdefault((study, row.reader), row.line)) != row.line:
            raise _Refused(f"Line {earlier} is about the same study and reader.")
        row.findings, row.comment = self._findings(cells, reader), _comment(cells)
        row.positive = self.in_force.definition.positive(row.findings)
        row.study = study

    def _person(self, name: str) -> int:
        if not name:
            return self.user.pk
        if name not in self._people:
            raise _Refused(
                f"Nobody here is called {name[:60]!r}: make the account, or leave it empty to import it as yours."
            )
        return self._people[name]

    def _findings(self, cells: dict[str, str], reader: CellReader | None) -> Findings:
        if reader is None:
            raise _Refused(f"There is no version {cells['schema'][:32]!r} of the schema.")
        columns = [name for name in cells if name in reader.fields and name != "schema"]
        texts = {reader.fields[name]: cells[name] for name in columns}
        answers = tuple(sorted((name, text) for name, text in texts.items() if text))
        key = (reader.schema.name, answers)
        if key not in self._findings_of:
            self._findings_of[key] = self._completed(reader, answers)
        findings = self._findings_of[key]
        if isinstance(findings, str):
            raise _Refused(findings)
        return findings

    def _completed(self, reader: CellReader, answers: Iterable[tuple[str, str]]) -> Findings | str:
        """The findings that these cells say, or what is wrong with them."""
        values: Findings = {"schema": reader.schema.name}
        for name, text in answers:
            try:
                values[name] = reader.value(name, text)
            except BadCell as problem:
                return f"{name} {problem}."
        self._name_clips(values)
        try:
            findings = reader.schema.complete(values, self.in_force.definition)
        except BadFindings as problem:
            return str(problem)
        questions = [] if self.confirmed else reader.schema.questions(findings)
        if questions:
            return f"{' '.join(questions)} If it is meant, import with contradictions confirmed."
        return findings

    def _name_clips(self, values: Findings) -> None:
        """Give clips their own UIDs where an export gave them others; drop the server's numbers of drawings."""
        for mark in _marks(values):
            if isinstance(mark.get("sop_uid"), str):
                mark["sop_uid"] = self._own_uids().get(mark["sop_uid"], mark["sop_uid"])
            mark.pop("measured", None)

    def _own_uids(self) -> dict[str, str]:
        """Clips by the UIDs that an export without identifiers gives them."""
        if self._clip_uids is None:
            self._clip_uids = {self.stand_ins.uid(uid): uid for uid in Clip.objects.values_list("sop_uid", flat=True)}
        return self._clip_uids


def _marks(values: Findings) -> list[dict[str, Any]]:
    """Keyframes and drawings as far as they are any; the schema refuses what is none."""
    lists = [values.get(field) for field in ("keyframes", "drawings")]
    return [mark for marks in lists if isinstance(marks, list) for mark in marks if isinstance(mark, dict)]


def _studies(user: User, stand_ins: StandIns) -> dict[str, int]:
    """Those that this person may import to, by UID and by stand-in.

    What "unchanged" would tell of another's read is not told of a study that one has yet to label.
    """
    visible = access.visible_studies(user).exclude(uid__in=blinded_uids(user))
    keys = dict(visible.values_list("uid", "pk"))
    return {**{stand_ins.uid(uid): key for uid, key in keys.items()}, **keys}


def _people(stand_ins: StandIns) -> dict[str, int]:
    """By user name and by stand-in."""
    keys = dict(User.objects.values_list("username", "pk"))
    return {**{stand_ins.name("reader", name): key for name, key in keys.items()}, **keys}


def _comment(cells: dict[str, str]) -> str:
    try:
        return unquoted(cells.get("comment", ""))[:MAX_COMMENT]
    except BadCell as problem:
        raise _Refused(f"comment {problem}.") from None
