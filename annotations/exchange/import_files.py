"""A file of labels as rows of cells: CSV in UTF-8 or UTF-16, or our own JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator

from annotations.exchange.csv_json import FORMAT, cell

MAX_BYTES = 128 * 1024**2
MAX_ROWS = 100_000
NOT_TEXT = "The line is not UTF-8 text. Save the sheet as “CSV UTF-8” and import it again."
ALIASES = {
    "study": "study_uid",
    "study uid": "study_uid",
    "studyinstanceuid": "study_uid",
    "study instance uid": "study_uid",
}
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


def _decoded(data: bytes) -> list[str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    if b"\0" in data[:4096]:
        raise BadFile("The file is not text: a workbook (.xlsx) is saved as “CSV UTF-8” first.")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").splitlines(keepends=True)


def _csv(data: bytes) -> Iterator[Line]:
    text = _decoded(data)
    if not text:
        raise BadFile("The file is empty.")
    csv.field_size_limit(MAX_BYTES)
    reader = csv.reader(text, delimiter=max(",;\t", key=text[0].count))
    try:
        columns = [_column(name) for name in next(reader)]
        if "study_uid" not in columns:
            raise BadFile("The first line must name the columns, and one of them must be study_uid.")
        for cells in reader:
            if any(text.strip() for text in cells):
                yield _line(reader.line_num, columns, cells)
    except csv.Error as error:
        raise BadFile(f"The file is not a CSV file ({error}).") from None


def _column(name: str) -> str:
    plain = name.strip().lower()
    return ALIASES.get(plain, plain)


def _line(number: int, columns: list[str], cells: list[str]) -> Line:
    if any("\udc80" <= letter <= "\udcff" for text in cells for letter in text):
        first = cells[0].encode("utf-8", "replace").decode()
        return number, {columns[0]: first}, NOT_TEXT
    if len(cells) > len(columns):
        return number, {}, "The line has more cells than there are columns."
    return number, {name: text.strip() for name, text in zip(columns, cells, strict=False)}, ""
