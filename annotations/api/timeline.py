"""REST: all studies of an infant in order, with what was read in them, and when the next screening is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, NotRequired, TypedDict

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.models import User
from annotations.measurements.drawings import Preset, Side
from annotations.measurements.measure import MeasuredPayload
from annotations.measurements.reference_ranges import References, references
from annotations.models import ReadRevision
from annotations.reads import prior_reads
from common.contract import answers
from studies import access
from studies.models import Patient, Study
from studies.patients import screening
from studies.payloads import study_url

Grade = Annotated[int | None, "0 to 4; null where the side was not graded"]
_GRADED = ("schema", "right", "left", "phi", "phvd", "pvl", "cerebellar", "quality")
_MEASURE = ("preset", "side", "sop_uid", "frame", "measured")


class TimelineMeasure(TypedDict):
    """One measure, and where it was taken."""

    preset: Annotated[Preset, "what was measured, such as the ventricular index (vi)"]
    side: Side
    sop_uid: Annotated[str, "SOPInstanceUID of the clip"]
    frame: Annotated[int, "counted from 1"]
    measured: MeasuredPayload | None


class TimelineRead(TypedDict):
    """The last committed read of a study; what its version of the schema has no field for is null."""

    schema: Annotated[str, "version of the label schema"]
    right: Grade
    left: Grade
    phi: Annotated[bool | None, "parenchymal infarction"]
    phvd: Annotated[bool | None, "posthaemorrhagic ventricular dilatation"]
    pvl: Annotated[Any, "cystic periventricular leukomalacia: a grade, or yes and no in older versions"]
    cerebellar: str | None
    quality: str | None
    measures: list[TimelineMeasure]
    reader: str
    committed_at: datetime


class TimelineStudy(TypedDict):
    """One study of the infant."""

    study_uid: Annotated[str, "StudyInstanceUID"]
    url: str
    current: Annotated[bool, "it is the study that was asked for"]
    acquired_at: datetime | None
    day_of_life: Annotated[int | None, "days since birth"]
    postmenstrual_age_days: Annotated[int | None, "days"]
    clips: int
    read: TimelineRead | None
    hidden: Annotated[str, "why this person may not see a read; empty where that has no reason"]


WindowDates = TypedDict("WindowDates", {"from": NotRequired[date], "to": NotRequired[date]})


class ScreeningWindow(WindowDates):
    """Days of life, both ends in, within which an examination is due; dates where the date of birth is known."""

    name: str
    first: Annotated[int, "day of life"]
    last: Annotated[int, "day of life"]
    done: bool


class ScreeningPayload(TypedDict):
    """When the infant is to be examined."""

    source: Annotated[str, "the guideline"]
    why: Annotated[str, "why there are no windows; empty where there are"]
    today: Annotated[int | None, "day of life"]
    windows: list[ScreeningWindow]
    next: Annotated[ScreeningWindow | None, "due or coming"]
    missed: list[ScreeningWindow]


class TimelinePayload(TypedDict):
    """An infant's studies on an axis of days of life."""

    studies: list[TimelineStudy]
    screening: ScreeningPayload
    references: References


class TimelineView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @answers(TimelinePayload)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """The infant's studies on an axis of days of life. No AI, and of this study nothing that others said before
        one has said it oneself."""
        study = access.open_study(request, uid, "timeline.viewed")
        return Response(timeline(study, permissions.person(request)))


def timeline(study: Study, user: User) -> TimelinePayload:
    of_infant = access.visible_studies(user).filter(patient=study.patient).prefetch_related("clips")
    ordered = sorted(of_infant, key=lambda each: each.acquired_at or each.first_image_at)
    latest = prior_reads.last_reads([each.uid for each in ordered])
    hidden = prior_reads.hidden_from(user, reading=study)
    studies = [
        _study(each, latest.get(each.uid), current=each.pk == study.pk, hidden=hidden.get(each.uid, ""))
        for each in ordered
    ]
    examined = [_examined(entry["day_of_life"], entry["read"]) for entry in studies if entry["day_of_life"] is not None]
    return {"studies": studies, "screening": _screening(study.patient, examined), "references": references()}


def _examined(day: int, read: TimelineRead | None) -> screening.Examined:
    if read is None:
        return screening.Examined(day)
    grade = 4 if read["phi"] else max(read["right"] or 0, read["left"] or 0)
    cerebellar = read["cerebellar"] in ("left", "right", "both")
    return screening.Examined(day, True, grade, bool(read["phvd"] or read["pvl"] or cerebellar))


def _study(study: Study, last: ReadRevision | None, *, current: bool, hidden: str) -> TimelineStudy:
    on = timezone.localtime(study.acquired_at) if study.acquired_at else None
    return {
        "study_uid": study.uid,
        "url": study_url(study),
        "current": current,
        "acquired_at": study.acquired_at,
        "day_of_life": study.patient.day_of_life(on),
        "postmenstrual_age_days": study.patient.postmenstrual_age_days(on),
        "clips": len(study.clips.all()),
        "read": _read(last) if last and not hidden else None,
        "hidden": hidden,
    }


def _read(revision: ReadRevision) -> TimelineRead:
    findings = revision.findings
    measures = [drawing for drawing in findings.get("drawings", []) if drawing.get("preset")]
    read: Any = {
        **{name: findings.get(name) for name in _GRADED},
        "measures": [{name: drawing.get(name) for name in _MEASURE} for drawing in measures],
        "reader": revision.read.reader.display,
        "committed_at": revision.committed_at,
    }
    shaped: TimelineRead = read
    return shaped


def _follow_up() -> screening.FollowUp | None:
    """The site's protocol after a bleed; None where the site states none."""
    days = settings.FOLLOW_UP_DAYS
    return screening.FollowUp(days[0], days[1], settings.FOLLOW_UP_SOURCE) if days else None


def _screening(infant: Patient, examined: Sequence[screening.Examined]) -> ScreeningPayload:
    birth = infant.birth_date
    today = (timezone.localdate() - birth).days if birth else None
    days = [each.day for each in examined]
    found = screening.after_finding(examined, today=today, protocol=_follow_up()) if today is not None else None
    schedule = found or screening.schedule(infant.gestational_age_days, examined=days, today=today)

    def window(due: screening.Window) -> ScreeningWindow:
        dates: WindowDates = (
            {"from": screening.on_day(birth, due.first), "to": screening.on_day(birth, due.last)} if birth else {}
        )
        return {"name": due.name, "first": due.first, "last": due.last, "done": due.done(days), **dates}

    return {
        "source": schedule.source,
        "why": schedule.why,
        "today": today,
        "windows": [window(due) for due in schedule.windows],
        "next": window(schedule.next) if schedule.next else None,
        "missed": [window(due) for due in schedule.missed],
    }
