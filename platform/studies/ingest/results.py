"""What is known of a file at each stage of ingest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from django.http import HttpRequest

from accounts.models import User
from studies.dicom.facts import Content, Header
from studies.models import Outcome
from studies.storage import StagedFile


@dataclass(frozen=True)
class Sender:
    """Who sends, and how: ``source`` is ``stow``, ``upload``, ``folder`` or ``demo``."""

    source: str
    user: User | None = None
    request: HttpRequest | None = None


@dataclass(frozen=True)
class Judgement:
    """``code`` is for programs, ``reason`` for people; both are empty for a file that is simply stored."""

    outcome: Outcome
    code: str
    reason: str


def label(name: str) -> str:
    """A sender's name for a file, as text that any database and any JSON takes."""
    return name.encode("utf-8", "replace").decode().replace("\0", "?")


@dataclass
class Arrival:
    """A file that was received and looked at; refused ones have no header, or no bytes, left.

    ``repeats``: the digest of a file that came before and says the same, though it is written otherwise.
    """

    name: str
    judgement: Judgement
    header: Header | None = None
    staged: StagedFile | None = None
    repeats: str = ""

    def __post_init__(self) -> None:
        self.name = label(self.name)

    def discard(self) -> None:
        if self.staged is not None:
            self.staged.discard()
            self.staged = None

    @property
    def study_uid(self) -> str:
        return str(self.header["study_uid"]) if self.header else ""

    @property
    def sop_uid(self) -> str:
        return str(self.header["sop_uid"]) if self.header else ""

    @property
    def content(self) -> Content | None:
        """Digests of what the file says, where they could be had."""
        return self.header["whole"]["content"] if self.header else None


class FileResult(TypedDict):
    """What became of one file, as the command and the upload answer it; ``study_uid`` is empty where it has none."""

    path: str
    outcome: Outcome
    reason: str
    study_uid: str


@dataclass(frozen=True)
class IngestResult:
    """What became of one file."""

    path: str
    outcome: Outcome
    reason: str
    study_uid: str = ""
    sop_uid: str = ""
    series_uid: str = ""
    sop_class: str = ""
    code: str = ""

    @property
    def refused(self) -> bool:
        return self.outcome == Outcome.REFUSED

    def as_json(self) -> FileResult:
        return {"path": self.path, "outcome": self.outcome, "reason": self.reason, "study_uid": self.study_uid}
