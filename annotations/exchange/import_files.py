"""A file of labels as rows of cells: CSV in UTF-8 or UTF-16, or our own JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from annotations.exchange.csv_json import FORMAT, cell
from common.sheets import BadFile, Line, csv_lines

MAX_BYTES = 128 * 1024**2
MAX_ROWS = 100_000
ALIASES = {
    "study": "study_uid",
    "study uid": "study_uid",
    "studyinstanceuid": "study_uid",
    "study instance uid": "study_uid",
}


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


def _csv(data: bytes) -> Iterator[Line]:
    return csv_lines(data, max_bytes=MAX_BYTES, column=_column, check=_check_columns)


def _check_columns(columns: list[str]) -> None:
    if "study_uid" not in columns:
        raise BadFile("The first line must name the columns, and one of them must be study_uid.")


def _column(name: str) -> str:
    plain = name.strip().lower()
    return ALIASES.get(plain, plain)
