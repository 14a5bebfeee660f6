"""What the API says of the worklist and of claims."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from inference.models import Flag
from inference.payloads import AiState, Probability, ScoringModel
from studies.models import Priority, StudyStatus
from studies.patients.namesakes import IdentityNote
from worklist.reading_order import Band


class ClaimPayload(TypedDict):
    """Who has a study open."""

    username: str
    display: Annotated[str, "the name shown to colleagues"]
    you: Annotated[bool, "whether that is the person who asks"]
    since: Annotated[str, "when it was opened, ISO 8601 with offset"]


class ClaimAnswer(TypedDict):
    """Who has the study after a claim."""

    claimed_by: ClaimPayload


class LastRead(TypedDict):
    """What was read in the infant's study before this one."""

    grade: Annotated[str, 'the grade of haemorrhage, as "III left" or "none"']
    days: Annotated[int, "between the two studies"]


class ScoreColumns(TypedDict):
    """What a row says of the AI; nothing for a reader who is blinded to it."""

    flag: Annotated[Flag | None, "null until scored"]
    flag_reason: str
    probability: Probability
    revision: Annotated[int | None, "the revision that was scored, else the last one that closed"]
    model: ScoringModel | None
    last_image_to_flag_seconds: float | None


class WorklistRow(ScoreColumns):
    """One study of the list, as one reader may know it."""

    study_uid: Annotated[str, "StudyInstanceUID"]
    patient_id: str
    patient_name: Annotated[str, "as it came, a DICOM person name"]
    identity: Annotated[IdentityNote | None, "where the number stands for several infants, or it is asked who it is"]
    status: StudyStatus
    priority: Priority
    waiting_seconds: Annotated[int, "since its first image; of a study read before, since the late ones"]
    claimed_by: ClaimPayload | None
    read_by: Annotated[str | None, "who read it last in the reading room; null while it waits, or where that is hidden"]
    band: Band
    gestational_age_days: Annotated[int | None, "at birth"]
    day_of_life: Annotated[int | None, "on the day of the pictures; 0 is the day of birth"]
    postmenstrual_age_days: Annotated[int | None, "on the day of the pictures"]
    birth_weight_g: Annotated[int | None, "g"]
    last_read: LastRead | None
    clips: int
    frames: Annotated[int, "of all clips"]
    acquired_at: datetime | None
    last_image_at: datetime
    phantom: bool
    receiving: Annotated[bool, "whether images may still come in"]
    why: Annotated[str, "why it stands where it stands, in a sentence"]
    thumbnails: Annotated[list[str], "paths of the first clips' pictures"]


class WorklistCounts(TypedDict):
    """How many studies each filter has, whatever page is shown."""

    waiting: int
    suspected: int
    not_analysed: int
    mine: Annotated[int, "that the reader has open or half typed"]
    read_today: int


class WorklistPage(TypedDict):
    """A page of the list in reading order."""

    results: list[WorklistRow]
    next: Annotated[str | None, "path of the next page"]
    previous: Annotated[str | None, "path of the page before"]
    counts: WorklistCounts
    cap_seconds: Annotated[float, "that no study waits beyond"]
    longest_waiting_seconds: float | None
    ai: AiState
    show_probability: Annotated[bool, "whether the site shows the probability beside the flag"]
