"""The files below the paths that somebody names, and those of zip archives, which are opened with limits."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from studies import storage
from studies.ingest.pipeline import Intake

MAX_ENTRIES = 20_000
MAX_DIRECTORY_BYTES = 16 * 1024**2
MAX_RATIO = 200
_RATIO_FROM_BYTES = 64 * 1024**2
_END_RECORD = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
ZIP_MAGIC = b"PK\x03\x04"
_CLUTTER = (["Thumbs.db"], ["desktop.ini"])


class BadArchive(Exception):
    """The archive is not opened, or not further; ``code`` for a program, ``reason`` for a person."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Entry:
    """A file in an archive. ``name`` is a label and never becomes a path."""

    name: str
    info: zipfile.ZipInfo
    archive: zipfile.ZipFile


def is_clutter(name: str) -> bool:
    """What operating systems leave lying around."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in (".", "..")]
    return parts[-1:] in _CLUTTER or any(part.startswith(".") or part == "__MACOSX" for part in parts)


def files_below(path: Path) -> Iterator[Path]:
    """Every regular file below a folder, in order; links are not followed. A file is itself."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.is_symlink() or is_clutter(entry.name):
            continue
        if entry.is_dir():
            yield from files_below(entry)
        elif entry.is_file():
            yield entry


def is_zip(head: bytes) -> bool:
    return head[:4] in (ZIP_MAGIC, _END_MAGIC)


def entries(stream: BinaryIO, size: int) -> Iterator[Entry]:
    """The files of an archive, after its directory as a whole has been judged; raises BadArchive before the first."""
    _check_directory_size(stream, size)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
        raise BadArchive("bad_archive", "The archive is damaged.") from error
    infos = [info for info in archive.infolist() if not info.is_dir() and not is_clutter(info.filename)]
    _check_sizes(infos, size)
    for info in infos:
        yield Entry(info.filename[-400:], info, archive)


def _check_directory_size(stream: BinaryIO, size: int) -> None:
    """Before the directory is read into memory: how many entries, how many bytes. ZIP64 says 65535 here."""
    stream.seek(max(0, size - 65536 - _END_RECORD.size))
    tail = stream.read()
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) < at + _END_RECORD.size:
        raise BadArchive("bad_archive", "The archive is damaged: its directory is missing.")
    _, _, _, _, count, directory_bytes, _, _ = _END_RECORD.unpack_from(tail, at)
    stream.seek(0)
    if count > MAX_ENTRIES or directory_bytes > MAX_DIRECTORY_BYTES:
        raise BadArchive("too_many", f"The archive holds more than {MAX_ENTRIES} files. Send it in parts.")


def _check_sizes(infos: list[zipfile.ZipInfo], size: int) -> None:
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_ENTRIES:
        raise BadArchive("too_many", f"The archive holds more than {MAX_ENTRIES} files. Send it in parts.")
    if total > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES // 1024**2
        raise BadArchive("too_large", f"Unpacked, the archive is larger than {limit} MB. Send it in parts.")
    if total > _RATIO_FROM_BYTES and total > MAX_RATIO * max(size, 1):
        raise BadArchive("bomb", f"The archive unpacks to {total // max(size, 1)} times its size: not opened.")


def unpacked(entry: Entry) -> Iterator[bytes]:
    """The bytes of one entry, never more than its directory says; raises BadArchive."""
    info = entry.info
    if stat.S_ISLNK(info.external_attr >> 16):
        raise BadArchive("link", "It is a link, not a file.")
    if info.flag_bits & 1:
        raise BadArchive("encrypted", "It is encrypted. Send it without a password.")
    left = info.file_size
    try:
        with entry.archive.open(info) as stream:
            while chunk := stream.read(storage.CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise BadArchive("bomb", "It unpacks to more than it says.")
                yield chunk
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadArchive("bad_archive", "It is damaged inside the archive.") from error


def add_archive(intake: Intake, name: str, stream: BinaryIO, size: int) -> None:
    """Add each file of the archive under ``archive/inside``. A bad archive is one refusal, of all its bytes."""
    try:
        for entry in entries(stream, size):
            _add_entry(intake, f"{name}/{entry.name}", entry)
    except BadArchive as error:
        intake.refuse(name, error.code, error.reason, _copied(stream))


def _copied(stream: BinaryIO) -> storage.StagedFile | None:
    """The archive itself, for the quarantine; None where it is larger than one file may be."""
    stream.seek(0)
    try:
        return storage.stage(storage.chunks_of(stream))
    except storage.TooLarge:
        return None


def _add_entry(intake: Intake, name: str, entry: Entry) -> None:
    try:
        intake.add(name, unpacked(entry))
    except BadArchive as error:
        intake.refuse(name, error.code, error.reason)
