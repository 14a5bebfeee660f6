"""What is known of a file at each stage of ingest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from studies.models import Outcome
from studies.storage import Staged


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
    """A file that was received and looked at; refused ones have no header, or no bytes, left."""

    name: str
    judgement: Judgement
    header: dict[str, Any] | None = None
    staged: Staged | None = None

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


@dataclass(frozen=True)
class IngestResult:
    """What became of one file."""

    path: str
    outcome: str
    reason: str
    study_uid: str = ""
    sop_uid: str = ""
    series_uid: str = ""
    sop_class: str = ""
    code: str = ""

    def as_json(self) -> dict[str, str]:
        """The four fields that the command and the upload page promise."""
        return {name: asdict(self)[name] for name in ("path", "outcome", "reason", "study_uid")}
