"""Taking the files of a zip archive in, one by one."""

from __future__ import annotations

from typing import BinaryIO

from studies.ingest import archive
from studies.ingest.pipeline import Intake


def add_archive(intake: Intake, name: str, stream: BinaryIO, size: int) -> None:
    """Add each file of the archive under ``archive/inside``. A bad archive is one refusal with its reason."""
    try:
        for entry in archive.entries(stream, size):
            _add_entry(intake, f"{name}/{entry.name}", entry)
    except archive.BadArchive as error:
        intake.refuse(name, error.code, error.reason)


def _add_entry(intake: Intake, name: str, entry: archive.Entry) -> None:
    try:
        intake.add(name, archive.unpacked(entry))
    except archive.BadArchive as error:
        intake.refuse(name, error.code, error.reason)
