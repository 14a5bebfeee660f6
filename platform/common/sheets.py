"""A table that people made in a spreadsheet, as rows of cells: CSV in UTF-8 or UTF-16, whatever stands between cells.

Lines end with CR, LF or both. U+2028, U+0085 and their like are part of a cell, as pasted text has them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

NOT_TEXT = "The line is not UTF-8 text. Save the sheet as “CSV UTF-8” and import it again."
SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)
"""A line before the columns by which a spreadsheet is told what stands between cells."""
Line = tuple[int, dict[str, str], str]
"""The number of the line from 1, its cells by column, and what is wrong with it as a line, if anything."""


class BadFile(Exception):
    """The file as a whole makes no sense; ``str()`` says why."""


def csv_lines(
    data: bytes, *, max_bytes: int, column: Callable[[str], str], check: Callable[[list[str]], None]
) -> Iterator[Line]:
    """The rows of a file, those without any text left out. Raises BadFile.

    ``column`` makes a name of what heads a column; ``check`` raises BadFile where the columns make no sense.
    """
    if len(data) > max_bytes:
        raise BadFile(f"The file is larger than {max_bytes // 1024**2} MB.")
    text = io.StringIO(_decoded(data), newline="")
    first = text.readline()
    if not first:
        raise BadFile("The file is empty.")
    csv.field_size_limit(max_bytes)
    named = SEPARATOR.fullmatch(first)
    head = text.readline() if named else first
    reader = csv.reader(chain([head], text), delimiter=named[1] if named else max(",;\t", key=head.count))
    try:
        columns = [column(name) for name in next(reader, [])]
        _check_named_once(columns)
        check(columns)
        yield from _rows(reader, columns, lines_before=1 if named else 0)
    except csv.Error as error:
        raise BadFile(f"The file is not a CSV file ({error}).") from None


def _check_named_once(columns: list[str]) -> None:
    """Else one of two cells would count, and the other not."""
    twice = [name for name in dict.fromkeys(columns) if name and columns.count(name) > 1]
    if twice:
        raise BadFile(f"Several columns are called {', '.join(twice)}: keep one of each.")


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    if b"\0" in data[:4096]:
        raise BadFile("The file is not text: a workbook (.xlsx) is saved as “CSV UTF-8” first.")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _rows(reader: CsvReader, columns: list[str], *, lines_before: int) -> Iterator[Line]:
    starts = reader.line_num + 1
    for cells in reader:
        if any(text.strip() for text in cells):
            yield _line(lines_before + starts, columns, cells)
        starts = reader.line_num + 1


def _line(number: int, columns: list[str], cells: list[str]) -> Line:
    if any("\udc80" <= letter <= "\udcff" for text in cells for letter in text):
        first = cells[0].encode("utf-8", "replace").decode()
        return number, {columns[0]: first}, NOT_TEXT
    if len(cells) != len(columns):
        which = "more" if len(cells) > len(columns) else "fewer"
        return number, {}, f"The line has {which} cells than there are columns ({len(cells)}, not {len(columns)})."
    return number, {name: text.strip() for name, text in zip(columns, cells, strict=True)}, ""
