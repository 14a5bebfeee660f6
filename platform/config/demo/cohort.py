"""Which phantom examinations the demo has, in which order they arrive, and their pictures.

An examination is known by its accession number, which follows from seed and index alone; so a second start, on
whatever day, finds what is already there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import islice
from pathlib import Path

from pydicom.uid import SecondaryCaptureImageStorage

from training.phantom.dicom import dataset, write_exam
from training.phantom.examination import PhantomExam, exam
from training.phantom.plan import Plan, plan

SEED = 2026
HISTORY_AGE = timedelta(days=45)


@dataclass(frozen=True)
class Recipe:
    """How the examinations of one part are drawn from the cohort."""

    first: int
    positive_fraction: float
    size: str


class Part(Enum):
    """What an examination is there for."""

    UNREAD = Recipe(first=0, positive_fraction=0.30, size="full")
    QUEUE = Recipe(first=400, positive_fraction=0.25, size="small")
    HISTORY = Recipe(first=800, positive_fraction=0.36, size="small")


@dataclass(frozen=True)
class Wish:
    """One examination to have. A secondary capture is a screenshot that somebody exported: it cannot be scored."""

    part: Part
    number: int
    stat: bool = False
    secondary_capture: bool = False
    grades: tuple[int, int] | None = None

    @property
    def index(self) -> int:
        return self.part.value.first + self.number

    @property
    def plan(self) -> Plan:
        """Patient, grades and dates, without the pictures."""
        recipe = self.part.value
        return plan(
            seed=SEED,
            index=self.index,
            positive_fraction=recipe.positive_fraction,
            reference_date=self._day,
            grades=self.grades,
        )

    @property
    def accession(self) -> str:
        return accession(self.plan)

    @property
    def _day(self) -> date:
        """The day on which the infant was last scanned, or a few days later."""
        today = date.today()  # noqa: DTZ011  the ward's calendar, not an instant
        return today if self.part is Part.UNREAD else today - HISTORY_AGE

    def draw(self) -> PhantomExam:
        recipe = self.part.value
        return exam(
            SEED,
            self.index,
            positive_fraction=recipe.positive_fraction,
            size=recipe.size,
            reference_date=self._day,
            grades=self.grades,
        )


def accession(planned: Plan) -> str:
    """The accession number that `training.phantom.dicom` writes."""
    return f"{planned.patient_id[2:6]}{planned.index:06d}"


def wishes(*, unread: int, queue: int, history: int, at_once: int = 4) -> Iterator[Wish]:
    """A handful of unread examinations first, then the others evenly between the rest of the unread.

    The first unread has blood, the second is STAT, the fourth cannot be scored.
    """
    fresh = (_fresh(number) for number in range(unread))
    past = [Wish(Part.HISTORY, n) for n in range(history)] + [Wish(Part.QUEUE, n) for n in range(queue)]
    yield from islice(fresh, at_once)
    share, rest = -(-len(past) // max(1, unread - at_once)), iter(past)
    for wish in fresh:
        yield from islice(rest, share)
        yield wish
    yield from rest


def _fresh(number: int) -> Wish:
    grades = (0, 3) if number == 0 else None
    return Wish(Part.UNREAD, number, stat=number == 1, secondary_capture=number == 3, grades=grades)


def write(wish: Wish, out: Path) -> list[Path]:
    """The examination's files in acquisition order."""
    drawn = wish.draw()
    return _secondary_captures(drawn, out) if wish.secondary_capture else write_exam(drawn, out)


def _secondary_captures(drawn: PhantomExam, out: Path) -> list[Path]:
    """Its stills alone, as screenshots without regions, as some workstations send them."""
    folder = out / drawn.plan.patient_id / drawn.study_uid
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, clip in enumerate((clip for clip in drawn.clips if clip.still), start=1):
        ds = dataset(drawn, clip, number=number)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
        ds.Modality, ds.ConversionType = "OT", "WSD"
        del ds.SequenceOfUltrasoundRegions
        paths.append(folder / f"{number:02d}.dcm")
        ds.save_as(paths[-1], enforce_file_format=True)
    return paths
