"""A file of labels as rows of cells: CSV in UTF-8 or UTF-16, or our own JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from annotations.exchange.csv_json import FORMAT, cell

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

MAX_BYTES = 128 * 1024**2
MAX_ROWS = 100_000
NOT_TEXT = "The line is not UTF-8 text. Save the sheet as “CSV UTF-8” and import it again."
ALIASES = {
    "study": "study_uid",
    "study uid": "study_uid",
    "studyinstanceuid": "study_uid",
    "study instance uid": "study_uid",
}
SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)
"""A line before the columns by which a spreadsheet is told what stands between cells."""
Line = tuple[int, dict[str, str], str]
"""The number of the line from 1, its cells by column, and what is wrong with it as a line, if anything."""


class BadFile(Exception):
    """The file as a whole makes no sense; ``str()`` says why."""


def lines(data: bytes) -> Iterator[Line]:
    """The rows of a file. Raises BadFile, also in the middle where there are too many."""
    if len(data) > MAX_BYTES:
        raise BadFile(f"The file is larger than {MAX_BYTES // 1024**2} MB.")
    rows = _json(data) if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else _csv(data)
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS:
            raise BadFile(f"The file has more than {MAX_ROWS:,} rows: split it.")
        yield row


def _json(data: bytes) -> Iterator[Line]:
    try:
        export = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"The file is no JSON ({error}).") from None
    if export.get("format") != FORMAT or not isinstance(export.get("reads"), list):
        raise BadFile(f'A JSON file of labels has the format "{FORMAT}" and a list of reads.')
    for number, read in enumerate(export["reads"], 1):
        if isinstance(read, dict) and isinstance(read.get("findings"), dict):
            yield number, {str(name): cell(value) for name, value in {**read, **read["findings"]}.items()}, ""
        else:
            yield number, {}, "A read is an object with findings."


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    if b"\0" in data[:4096]:
        raise BadFile("The file is not text: a workbook (.xlsx) is saved as “CSV UTF-8” first.")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _csv(data: bytes) -> Iterator[Line]:
    """Lines end with CR, LF or both. U+2028, U+0085 and their like are part of a cell, as pasted text has them."""
    text = io.StringIO(_decoded(data), newline="")
    first = text.readline()
    if not first:
        raise BadFile("The file is empty.")
    csv.field_size_limit(MAX_BYTES)
    named = SEPARATOR.fullmatch(first)
    head = text.readline() if named else first
    reader = csv.reader(chain([head], text), delimiter=named[1] if named else max(",;\t", key=head.count))
    try:
        yield from _rows(reader, lines_before=1 if named else 0)
    except csv.Error as error:
        raise BadFile(f"The file is not a CSV file ({error}).") from None


def _rows(reader: CsvReader, *, lines_before: int) -> Iterator[Line]:
    columns = [_column(name) for name in next(reader)]
    if "study_uid" not in columns:
        raise BadFile("The first line must name the columns, and one of them must be study_uid.")
    starts = reader.line_num + 1
    for cells in reader:
        if any(text.strip() for text in cells):
            yield _line(lines_before + starts, columns, cells)
        starts = reader.line_num + 1


def _column(name: str) -> str:
    plain = name.strip().lower()
    return ALIASES.get(plain, plain)


def _line(number: int, columns: list[str], cells: list[str]) -> Line:
    if any("\udc80" <= letter <= "\udcff" for text in cells for letter in text):
        first = cells[0].encode("utf-8", "replace").decode()
        return number, {columns[0]: first}, NOT_TEXT
    if len(cells) != len(columns):
        which = "more" if len(cells) > len(columns) else "fewer"
        return number, {}, f"The line has {which} cells than there are columns ({len(cells)}, not {len(columns)})."
    return number, {name: text.strip() for name, text in zip(columns, cells, strict=True)}, ""
