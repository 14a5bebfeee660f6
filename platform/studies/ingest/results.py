"""What is known of a file at each stage of ingest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from django.http import HttpRequest

from accounts.models import User
from studies.dicom.facts import Content, Header
from studies.models import Holding, Outcome
from studies.storage import StagedFile


@dataclass(frozen=True)
class Sender:
    """Who sends, and how: ``source`` is ``stow``, ``upload``, ``folder``, ``quarantine`` or ``demo``."""

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
    """A file that was received and looked at; a refused one may have no header, and no bytes.

    ``repeats``: the digest of a file that came before and says the same, though it is written otherwise. ``conflicts``:
    one of the same name is here that says something else. ``was_replaced``: it is what that one was before.
    ``holding``: where the bytes of one that is not taken in are.
    """

    name: str
    judgement: Judgement
    header: Header | None = None
    staged: StagedFile | None = None
    repeats: str = ""
    conflicts: bool = False
    was_replaced: bool = False
    holding: Holding = Holding.NEVER_WHOLE

    def __post_init__(self) -> None:
        self.name = label(self.name)

    def discard(self) -> None:
        if self.staged is not None:
            self.staged.discard()
            self.staged = None

    @property
    def readable(self) -> bool:
        """Whether it is an instance that can be taken in, new or not."""
        return self.header is not None and self.staged is not None and self.judgement.outcome != Outcome.REFUSED

    @property
    def is_new(self) -> bool:
        """Whether its bytes are to be kept as an instance of their own, as far as is known."""
        return self.readable and not (self.repeats or self.conflicts or self.was_replaced)

    @property
    def is_set_aside(self) -> bool:
        """Whether it goes to the quarantine: it cannot be taken in, or contradicts what is here."""
        return self.conflicts or self.judgement.outcome == Outcome.REFUSED

    @property
    def oddities(self) -> list[str]:
        """What its sender should know of the identifiers, which are taken as they are."""
        return self.header["oddities"] if self.header else []

    @property
    def patient_id(self) -> str:
        return str(self.header["patient"]["id"]) if self.header else ""

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
    pixel_notes: tuple[str, ...] = ()
    """What was decided about its pixels."""
    quarantined: int | None = None

    @property
    def refused(self) -> bool:
        return self.outcome == Outcome.REFUSED

    def as_json(self) -> FileResult:
        return {"path": self.path, "outcome": self.outcome, "reason": self.reason, "study_uid": self.study_uid}
