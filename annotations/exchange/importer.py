"""Labels that somebody has already, from a file: each row is judged alone, and a trial run changes nothing.

A row becomes a committed read in the context "import" of the person whom the row names, or of who imports. A row that
says what that reader's read of the study says already changes nothing, so a file can be imported again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotations.exchange import pseudonyms
from annotations.exchange.cell_values import BadCell, Words, unquoted
from annotations.exchange.csv_json import LEADING, TRAILING
from annotations.exchange.import_files import Line, lines
from annotations.label_schema import versions
from annotations.label_schema.schema import MAX_COMMENT, BadFindings, Findings
from annotations.measurements import drawings
from annotations.models import Context, Read, ReadRevision, ReadStatus
from annotations.reads.blinding import blinded_uids
from studies import access
from studies.models import Clip, StudyRevision

NEW, CHANGED, UNCHANGED, REFUSED = "new", "changed", "unchanged", "refused"
_AT_ONCE = 500
Thing = TypeVar("Thing")
_ABOUT = {*LEADING, *TRAILING}


def _some(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """So many at a time."""
    left = iter(things)
    while some := list(islice(left, _AT_ONCE)):
        yield some


@dataclass
class Row:
    """A line of the file and what became of it."""

    line: int
    study_uid: str
    outcome: str = REFUSED
    reason: str = ""
    study: int = 0
    reader: int = 0
    findings: Findings = field(default_factory=dict)
    comment: str = ""
    positive: bool | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("line", "study_uid", "outcome", "reason", "positive")}


@dataclass
class Result:
    rows: list[Row]
    unused: list[str]
    """Columns that no field of the schema is called like."""

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(row.outcome for row in self.rows))


class _Refused(Exception):
    """Why a row cannot be taken."""


class Importer:
    """One import by one person. ``confirmed``: what does not go together is meant."""

    def __init__(self, user: Any, *, confirmed: bool = False) -> None:
        self.user = user
        self.confirmed = confirmed
        self.now = versions.in_force()
        self.words = {name: Words(schema) for name, schema in versions.all_schemas().items()}
        # What "unchanged" would tell of another's read is not told of a study that one has yet to label.
        visible = access.visible_studies(user).exclude(uid__in=blinded_uids(user))
        studies = list(visible.values_list("uid", "pk"))
        self.studies = {**{pseudonyms.uid(uid): pk for uid, pk in studies}, **dict(studies)}
        people = list(User.objects.values_list("username", "pk"))
        self.people = {**{pseudonyms.name("reader", name): pk for name, pk in people}, **dict(people)}
        self.complete: dict[Any, Findings | str] = {}
        self.sops: dict[str, str] | None = None
        self.seen: dict[tuple[int, int], int] = {}

    def judge(self, data: bytes) -> Result:
        """What would become of each row. Raises BadFile."""
        rows: list[Row] = []
        used, columns = set(_ABOUT), set[str]()
        for line in lines(data):
            columns |= line[1].keys()
            rows.append(self._row(line, used))
        self._compare([row for row in rows if row.study])
        return Result(rows, sorted(columns - used - {"id", "findings", "coverage", "device"}))

    def take(self, data: bytes) -> Result:
        """Judge, and keep what is new, some hundred rows at a time: nobody's draft waits for a long file."""
        result = self.judge(data)
        for some in _some(row for row in result.rows if row.outcome in (NEW, CHANGED)):
            with transaction.atomic():
                _keep(some, self.now.definition.name, hashlib.sha256(data).hexdigest())
        return result

    # ---------- one row ----------

    def _row(self, line: Line, used: set[str]) -> Row:
        number, cells, wrong = line
        row = Row(number, cells.get("study_uid", "")[:64], reason=wrong)
        if wrong:
            return row
        words = self.words.get(cells.get("schema") or self.now.schema.name)
        used.update(words.fields if words else ())
        try:
            self._read(row, cells, words)
        except _Refused as refusal:
            row.reason = str(refusal)
            row.study = 0
        return row

    def _read(self, row: Row, cells: dict[str, str], words: Words | None) -> None:
        study = self.studies.get(row.study_uid)
        if study is None:
            raise _Refused(f"No study has the UID {row.study_uid}." if row.study_uid else "The study_uid is empty.")
        row.reader = self._reader(cells.get("reader", ""))
        if (earlier := self.seen.setdefault((study, row.reader), row.line)) != row.line:
            raise _Refused(f"Line {earlier} is about the same study and reader.")
        row.findings, row.comment = self._findings(cells, words), self._comment(cells)
        row.positive = self.now.definition.positive(row.findings)
        row.study = study

    def _reader(self, name: str) -> int:
        if not name:
            return int(self.user.pk)
        if name not in self.people:
            raise _Refused(
                f"Nobody here is called {name[:60]!r}: make the account, or leave it empty to import it as yours."
            )
        return int(self.people[name])

    def _comment(self, cells: dict[str, str]) -> str:
        try:
            return unquoted(cells.get("comment", ""))[:MAX_COMMENT]
        except BadCell as wrong:
            raise _Refused(f"comment {wrong}.") from None

    def _findings(self, cells: dict[str, str], words: Words | None) -> Findings:
        if words is None:
            raise _Refused(f"There is no version {cells['schema'][:32]!r} of the schema.")
        said = {words.fields[name]: text for name, text in cells.items() if name in words.fields and name != "schema"}
        answers = tuple(sorted((name, text) for name, text in said.items() if text))
        key = (words.schema.name, answers)
        if key not in self.complete:
            self.complete[key] = self._completed(words, answers)
        found = self.complete[key]
        if isinstance(found, str):
            raise _Refused(found)
        return found

    def _completed(self, words: Words, answers: Iterable[tuple[str, str]]) -> Findings | str:
        """The findings that these cells say, or what is wrong with them."""
        values: Findings = {"schema": words.schema.name}
        for name, text in answers:
            try:
                values[name] = words.value(name, text)
            except BadCell as wrong:
                return f"{name} {wrong}."
        try:
            whole = words.schema.complete(self._located(values), self.now.definition)
        except BadFindings as wrong_findings:
            return str(wrong_findings)
        questions = [] if self.confirmed else words.schema.questions(whole)
        return f"{' '.join(questions)} If it is meant, import with contradictions confirmed." if questions else whole

    def _located(self, values: Findings) -> Findings:
        """Clips by their own UIDs where an export gave them others."""
        if not values.get("keyframes") and not values.get("drawings"):
            return values
        if self.sops is None:
            self.sops = {pseudonyms.uid(uid): uid for uid in Clip.objects.values_list("sop_uid", flat=True)}
        for each in (*values.get("keyframes", ()), *values.get("drawings", ())):
            if isinstance(each, dict):
                each["sop_uid"] = self.sops.get(each.get("sop_uid", ""), each.get("sop_uid"))
                each.pop("measured", None)
        return values

    # ---------- against what is there ----------

    def _compare(self, rows: list[Row]) -> None:
        frames = _frames(row for row in rows if row.findings.get("keyframes") or row.findings.get("drawings"))
        before = _said({row.study for row in rows})
        for row in rows:
            known = before.get((row.study, row.reader), [])
            if misplaced := _misplaced(row, frames):
                row.outcome, row.reason = REFUSED, misplaced
            elif any(essence(findings) == essence(row.findings) for _, findings in known):
                row.outcome, row.reason = UNCHANGED, ""
            else:
                row.outcome = CHANGED if any(context == Context.IMPORT for context, _ in known) else NEW


def essence(findings: Findings) -> Findings:
    """What a re-import must give again: all but the numbers that the server puts there and texts that people typed."""
    drawn = [{k: v for k, v in each.items() if k not in ("measured", "label")} for each in findings.get("drawings", [])]
    return {**findings, "drawings": drawn}


def _frames(rows: Iterable[Row]) -> dict[int, dict[str, int]]:
    """study → clip → frames, of studies with something on a frame."""
    found: dict[int, dict[str, int]] = {}
    for some in _some({row.study for row in rows}):
        for study, sop, frames in Clip.objects.filter(study__in=some).values_list("study", "sop_uid", "frames"):
            found.setdefault(study, {})[sop] = frames
    return found


def _misplaced(row: Row, frames: dict[int, dict[str, int]]) -> str:
    on = [*row.findings.get("keyframes", ()), *row.findings.get("drawings", ())]
    mine = frames.get(row.study, {})
    return (
        ""
        if all(each["frame"] <= mine.get(each["sop_uid"], 0) for each in on)
        else "A keyframe or drawing is on no frame of this study."
    )


def _said(studies: set[int]) -> dict[tuple[int, int], list[tuple[str, Findings]]]:
    """(study, reader) → (context, findings) of the last revision of each committed read."""
    found: dict[tuple[int, int], list[tuple[str, Findings]]] = {}
    for some in _some(studies):
        for last in ReadRevision.objects.counting().filter(read__study__in=some).select_related("read"):
            read = last.read
            found.setdefault((read.study_id, read.reader_id), []).append((read.context, last.findings))
    return found


def _keep(rows: Iterable[Row], definition: str, digest: str) -> None:
    """Reads in the context of imports, and their revisions."""
    rows, now = list(rows), timezone.now()
    studies = {row.study for row in rows}
    mine = Read.objects.filter(context=Context.IMPORT, study__in=studies)
    reads = {(read.study_id, read.reader_id): read for read in mine}
    fresh = [row for row in rows if (row.study, row.reader) not in reads]
    made = Read.objects.bulk_create(
        Read(
            study_id=row.study, reader_id=row.reader, context=Context.IMPORT, status=ReadStatus.COMMITTED, opened_at=now
        )
        for row in fresh
    )
    reads |= {(read.study_id, read.reader_id): read for read in made}
    numbers = Counter(ReadRevision.objects.filter(read__in=[*reads.values()]).values_list("read", flat=True))
    latest = dict(StudyRevision.objects.filter(study__in=studies).order_by("number").values_list("study", "pk"))
    measured = dict(_measured(rows))
    ReadRevision.objects.bulk_create(
        ReadRevision(
            read=(read := reads[row.study, row.reader]),
            number=numbers[read.pk] + 1,
            study_revision_id=latest.get(row.study),
            schema=row.findings["schema"],
            findings=measured.get(row.line, row.findings),
            comment=row.comment,
            positive=row.positive,
            definition=definition,
            device={"import": digest, "line": row.line},
            idempotency_key=f"{digest[:32]}:{row.line}",
            committed_at=now,
        )
        for row in rows
    )
    _as_drafts(rows, reads)


def _measured(rows: Iterable[Row]) -> Iterator[tuple[int, Findings]]:
    """Drawings with our own numbers beside them."""
    for row in rows:
        if row.findings["drawings"]:
            regions = dict(Clip.objects.filter(study=row.study).values_list("sop_uid", "regions"))
            yield row.line, {**row.findings, "drawings": drawings.measured(row.findings["drawings"], regions)}


def _as_drafts(rows: Iterable[Row], reads: dict[tuple[int, int], Read]) -> None:
    """What a reader who reopens it finds."""
    for row in rows:
        read = reads[row.study, row.reader]
        read.draft, read.draft_version = {"findings": row.findings, "comment": row.comment}, read.draft_version + 1
    Read.objects.bulk_update([reads[row.study, row.reader] for row in rows], ["draft", "draft_version"], batch_size=200)
