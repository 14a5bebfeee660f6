"""A study as the API answers it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, TypedDict

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from studies import clip_order, disclosure
from studies.access import sees_everything, visible_studies
from studies.dicom import view_labels
from studies.dicom.birth_dates import birth_doubt
from studies.dicom.facts import Region
from studies.dicom.kinds import Kind
from studies.disclosure import Disclosure, known_colours, known_modality, telling_nothing
from studies.models import Clip, Patient, Priority, Sex, Study, StudyStatus, View, ViewSource
from studies.patients.doubts import notes_on
from studies.patients.namesakes import IdentityNote, identity_note

DEFAULT_RATE = 24.0
_ULTRASOUND = "US"
_NAMED_CLIPS = 3
_OF_TIME = re.compile(r"^The birth date|lies in the future|offset from UTC")
NO_MASTOID = "No mastoid view: posterior fossa not assessed."

RateSource = Literal["vector", "frame_time", "recommended", "default"]
Calibration = Literal["calibrated", "mixed", "depth", "uncalibrated"]


class PatientSummary(TypedDict):
    """An infant. Null and empty text mean unknown."""

    id: Annotated[int, "the platform's own number"]
    patient_id: Annotated[str, "the hospital's identifier"]
    issuer: str
    name: Annotated[str, "as it came, a DICOM person name"]
    sex: Sex
    gestational_age_days: Annotated[int | None, "days, at birth"]
    birth_weight_g: Annotated[int | None, "g"]
    birth_date: date | None
    twin_group: str
    url: str


class PriorStudy(TypedDict):
    """An earlier study of the same infant."""

    study_uid: str
    url: str
    acquired_at: datetime | None
    days_before: Annotated[int, "whole days between the two dates"]
    summary: str


class TwinStudy(TypedDict):
    """A study of a twin of the infant."""

    study_uid: str
    patient_id: str
    acquired_at: datetime | None


class ClipDetail(TypedDict):
    """A clip and how to show it. Frames count from 1."""

    sop_uid: str
    number: Annotated[int, "place in the order of acquisition, from 1"]
    kind: Annotated[Kind, "none: it holds no image"]
    view: View
    plane: Annotated[str, "one of the view's planes; empty for a sweep, or where nobody said"]
    view_source: ViewSource
    label: str
    modality: str
    acquired_at: datetime | None
    rows: Annotated[int, "pixels"]
    columns: Annotated[int, "pixels"]
    frames: Annotated[int, "0: it holds no image"]
    frame_time_ms: Annotated[float | None, "ms per frame"]
    fps: Annotated[float, "frames per second"]
    fps_source: RateSource
    fps_flaw: Annotated[str, "what the file says of its frame times that cannot be true; empty otherwise"]
    frame_times: Annotated[list[float] | None, "start of each frame in ms after the first"]
    display_rate: Annotated[float | None, "frames per second that the device recommends"]
    photometric: str
    regions: list[Region]
    calibration: Calibration
    flow_frames: Annotated[list[int], "those known to show colour Doppler"]
    looked_frames: Annotated[int, "how many were looked at for that; 0 before the first score, and of grey clips"]
    decode_error: Annotated[str, "why frames cannot be shown; empty otherwise"]
    scorable: bool
    parked_reason: str
    warnings: list[str]
    thumbnail_url: str
    frame_url: Annotated[str, "of each frame, with {frame} for its number"]


class StudyDetail(TypedDict):
    """A study with its patient, clips and priors: everything but the AI.

    For who may not know whose it is: a stand-in for the infant, ages but no dates, nothing that a header says in words.
    """

    study_uid: str
    url: str
    patient: PatientSummary
    day_of_life: Annotated[int | None, "whole days since birth"]
    postmenstrual_age_days: Annotated[int | None, "days"]
    priority: Priority
    status: StudyStatus
    revision: Annotated[int, "number of the latest closed revision; 0 before the first"]
    revision_closed: bool
    closes_at: Annotated[datetime | None, "end of the quiet period that runs"]
    description: str
    accession: str
    acquired_at: datetime | None
    last_image_at: Annotated[datetime | None, "null for who may not know whose study it is"]
    phantom: bool
    notes: Annotated[list[str], "what a reader must know before calling the study normal"]
    identity: Annotated[IdentityNote | None, "where the number stands for several infants, or it is asked who it is"]
    priors: Annotated[list[PriorStudy], "the latest first"]
    siblings: list[TwinStudy]
    clips: Annotated[list[ClipDetail], "in the order of acquisition"]


class ClipChange(TypedDict):
    """A clip whose view was set, and the notes that follow for its study."""

    clip: ClipDetail
    notes: list[str]


def study_url(study: Study) -> str:
    return f"/studies/{study.uid}/"


def clip_url(study_uid: str, sop_uid: str) -> str:
    return f"/api/v1/studies/{study_uid}/clips/{sop_uid}/"


def ordered_clips(study: Study) -> list[Clip]:
    """In the order in which they were taken."""
    return clip_order.ordered(study.clips.all())


def describe_study(study: Study, user: User) -> StudyDetail:
    """What ``GET /api/v1/studies/<uid>/`` answers to this person."""
    clips, known = ordered_clips(study), disclosure.to(user, study)
    last = study.revisions.order_by("-number").first()
    on = timezone.localtime(study.acquired_at) if study.acquired_at else None
    return {
        "study_uid": study.uid,
        "url": study_url(study),
        "patient": _patient(study.patient, known),
        "day_of_life": study.patient.day_of_life(on),
        "postmenstrual_age_days": study.patient.postmenstrual_age_days(on),
        "priority": Priority(study.priority),
        "status": StudyStatus(study.status),
        "revision": last.number if last else 0,
        "revision_closed": study.closes_at is None and last is not None,
        "closes_at": study.closes_at if known.identity else None,
        "description": study.description if known.identity else "",
        "accession": study.accession if known.identity else "",
        "acquired_at": study.acquired_at if known.identity else None,
        "last_image_at": study.last_image_at if known.identity else None,
        "phantom": study.is_phantom,
        "notes": notes(study, clips, known, user),
        "identity": identity_note(study.patient, user) if known.identity else None,
        "priors": _priors(study, user, known),
        "siblings": _twins_studies(study, user, known),
        "clips": [describe_clip(clip, study.uid, number, known) for number, clip in enumerate(clips, 1)],
    }


def _patient(patient: Patient, known: Disclosure) -> PatientSummary:
    """The infant, or a stand-in with what a reader needs to judge the pictures."""
    described = describe_patient(patient)
    if known.identity:
        return described
    hidden: PatientSummary = {
        **described,
        "id": 0,
        "patient_id": known.stand_in(patient),
        "issuer": "",
        "name": "",
        "birth_date": None,
        "twin_group": "",
        "url": "",
    }
    return hidden


def describe_patient(patient: Patient) -> PatientSummary:
    return {
        "id": patient.pk,
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "name": patient.name,
        "sex": Sex(patient.sex),
        "gestational_age_days": patient.gestational_age_days,
        "birth_weight_g": patient.birth_weight_g,
        "birth_date": patient.birth_date,
        "twin_group": patient.twin_group,
        "url": f"/patients/{patient.pk}/",
    }


def _who_notes(study: Study, user: User) -> list[str]:
    who = identity_note(study.patient, user)
    asked = notes_on(study.patient, to_readers=sees_everything(user))
    said = [who["text"]] if who else []
    return [*said, *(each for each in asked if not who or each not in who["text"]), *_birth_notes(study)]


def notes(study: Study, clips: Sequence[Clip], known: Disclosure, user: User) -> list[str]:
    """What a reader must know before calling the study normal."""
    sentences = _who_notes(study, user) if known.identity else notes_on(study.patient, to_readers=False)
    ultrasound = [clip for clip in clips if clip.modality == _ULTRASOUND and clip.has_frames]
    if ultrasound and not any(clip.view == View.MASTOID for clip in ultrasound):
        sentences.append(NO_MASTOID)
    replaced = [(clip.replaced_at, number) for number, clip in enumerate(clips, 1) if clip.replaced_at]
    sentences += [_replaced(at if known.identity else None, number) for at, number in replaced]
    broken = sum(bool(clip.decode_error) for clip in clips)
    if broken:
        sentences.append(f"{broken} of {len(clips)} clips cannot be shown or are incomplete.")
    sentences += _time_notes(clips) if known.identity else []
    decided = _pixel_notes(clips)
    return [*sentences, *_kind_notes(clips), *(decided if known.identity else telling_nothing(decided))]


def _pixel_notes(clips: Sequence[Clip]) -> list[str]:
    """What was decided about pixels that contradict their header."""
    return _by_sentence([(number, clip.pixel_notes or []) for number, clip in enumerate(clips, 1)], len(clips))


def _time_notes(clips: Sequence[Clip]) -> list[str]:
    """Dates of headers that cannot be true, and offsets that are none."""
    said = [[sentence for sentence in clip.warnings if _OF_TIME.search(sentence)] for clip in clips]
    return _by_sentence(list(enumerate(said, 1)), len(clips))


def _by_sentence(said: Sequence[tuple[int, list[str]]], clips: int) -> list[str]:
    """Each sentence once, with the clips that it is about."""
    about: dict[str, list[int]] = {}
    for number, sentences in said:
        for sentence in sentences:
            about.setdefault(sentence, []).append(number)
    return [f"{_which(numbers, clips)}: {sentence}" for sentence, numbers in about.items()]


def _which(numbers: Sequence[int], clips: int) -> str:
    if len(numbers) > _NAMED_CLIPS:
        return f"{len(numbers)} of {clips} clips"
    return f"Clip{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def _kind_notes(clips: Sequence[Clip]) -> list[str]:
    """What the model sees otherwise, or never, for what it is."""
    return [*_volume_notes(clips), *_flow_notes(clips)]


def _flow_notes(clips: Sequence[Clip]) -> list[str]:
    shown = [
        f"clip {number} ({len(clip.flow_frames)} of {len(clip.looked_frames)} frames that were looked at)"
        for number, clip in enumerate(clips, 1)
        if clip.flow_frames
    ]
    scored = "scored like grey ones" if settings.SCORE_COLOUR_DOPPLER else "not scored"
    return [f"Colour Doppler in {', '.join(shown)}: such frames are {scored}."] if shown else []


def _volume_notes(clips: Sequence[Clip]) -> list[str]:
    volumes = [str(number) for number, clip in enumerate(clips, 1) if clip.kind == "volume"]
    if not volumes:
        return []
    named = "Clip {} is an ultrasound volume" if len(volumes) == 1 else "Clips {} are ultrasound volumes"
    return [f"{named.format(', '.join(volumes))}: shown slice by slice, never scored."]


def _replaced(at: datetime | None, number: int) -> str:
    """Without ``at``, when that was, for who may know no dates."""
    when = f"since {timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "than at first"
    return (
        f"Clip {number} shows another picture {when}: "
        "reads committed before were made on the earlier one, which is kept in the quarantine."
    )


def _birth_notes(study: Study) -> list[str]:
    """That the birth date is only reckoned, or cannot be true for this study."""
    patient = study.patient
    if patient.birth_date is None:
        return []
    doubt = birth_doubt(patient.birth_date, timezone.localtime(_when(study)).date())
    reckoned = f"The birth date {patient.birth_date} is reckoned from the age in a header: a day or so may be amiss."
    return [*([doubt] if doubt else []), *([reckoned] if patient.birth_date_from_age else [])]


def _priors(study: Study, user: User, known: Disclosure) -> list[PriorStudy]:
    """Earlier studies of the infant that this person may see, the latest first."""
    moment = _when(study)
    others = visible_studies(user).filter(patient_id=study.patient_id).exclude(pk=study.pk).prefetch_related("clips")
    earlier = sorted((other for other in others if _when(other) < moment), key=_when, reverse=True)
    return [
        {
            "study_uid": other.uid,
            "url": study_url(other),
            "acquired_at": other.acquired_at if known.identity else None,
            "days_before": (moment.date() - _when(other).date()).days,
            "summary": f"{_called(other, known)}, {len(other.clips.all())} clips",
        }
        for other in earlier
    ]


def _called(study: Study, known: Disclosure) -> str:
    return study.description if known.identity and study.description else "Ultrasound"


def _when(study: Study) -> datetime:
    return study.acquired_at or study.first_image_at


def _twins_studies(study: Study, user: User, known: Disclosure) -> list[TwinStudy]:
    """Studies of the infant's twins that this person may see, the latest first."""
    group = study.patient.twin_group
    if not group:
        return []
    others = visible_studies(user).filter(patient__twin_group=group).exclude(patient_id=study.patient_id)
    shown = others.select_related("patient").order_by("-last_image_at")[:20]
    return [_twins_study(other, known, named=known.identity and disclosure.to(user, other).identity) for other in shown]


def _twins_study(study: Study, known: Disclosure, *, named: bool) -> TwinStudy:
    """``named``: its own queue says whose it is, too."""
    return {
        "study_uid": study.uid,
        "patient_id": study.patient.patient_id if named else known.stand_in(study.patient),
        "acquired_at": study.acquired_at if named else None,
    }


def describe_clip(clip: Clip, study_uid: str, number: int, known: Disclosure) -> ClipDetail:
    """A clip as somebody with this knowledge of its infant may see it."""
    described = _describe_clip(clip, study_uid, number)
    if known.identity:
        return described
    hidden: ClipDetail = {
        **described,
        "label": view_labels.named(clip.view, clip.plane, frames=clip.frames),
        "modality": known_modality(clip.modality),
        "photometric": known_colours(clip.photometric),
        "acquired_at": None,
        "decode_error": known.why_withheld(clip) or "".join(telling_nothing([clip.decode_error])),
        "parked_reason": "It is set aside." if clip.parked_reason else "",
        "warnings": telling_nothing(clip.warnings),
    }
    return hidden


def _describe_clip(clip: Clip, study_uid: str, number: int) -> ClipDetail:
    rate, source = frame_rate(clip)
    base = clip_url(study_uid, clip.sop_uid)
    return {
        "sop_uid": clip.sop_uid,
        "number": number,
        "kind": clip.kind,
        "view": View(clip.view),
        "plane": clip.plane,
        "view_source": ViewSource(clip.view_source),
        "label": _label(clip),
        "modality": clip.modality,
        "acquired_at": clip.acquired_at,
        "rows": clip.rows,
        "columns": clip.columns,
        "frames": clip.frames,
        "frame_time_ms": clip.frame_time_ms,
        "fps": rate,
        "fps_source": source,
        "fps_flaw": clip.frame_time_flaw,
        "frame_times": clip.frame_times_ms,
        "display_rate": clip.display_rate,
        "photometric": clip.photometric,
        "regions": clip.regions,
        "calibration": calibration(clip.regions),
        "flow_frames": clip.flow_frames,
        "looked_frames": len(clip.looked_frames),
        "decode_error": clip.decode_error,
        "scorable": clip.scorable and not (clip.frames == 1 and clip.decode_error),
        "parked_reason": clip.parked_reason,
        "warnings": clip.warnings,
        "thumbnail_url": f"{base}thumbnail/",
        "frame_url": f"{base}frames/{{frame}}/",
    }


def _label(clip: Clip) -> str:
    if clip.view_source == ViewSource.PERSON:
        return view_labels.named(clip.view, clip.plane, frames=clip.frames)
    return clip.label


def frame_rate(clip: Clip) -> tuple[float, RateSource]:
    """(frames per second, where that comes from): its list of times, its frame time, what it recommends."""
    if clip.frame_times_ms and clip.frame_times_ms[-1] > 0:
        return round(1000 * (len(clip.frame_times_ms) - 1) / clip.frame_times_ms[-1], 3), "vector"
    if clip.frame_time_ms:
        return round(1000 / clip.frame_time_ms, 3), "frame_time"
    if clip.display_rate:
        return clip.display_rate, "recommended"
    return DEFAULT_RATE, "default"


def calibration(regions: Sequence[Region]) -> Calibration:
    """Whether lengths can be measured: in every two-dimensional region, in some, in none, or depths in M-mode alone."""
    scaled = [region["dx_cm"] is not None for region in regions if region["type"] == "2d"]
    if not any(scaled):
        depths = any(region["type"] == "m_mode" and region["dy_cm"] is not None for region in regions)
        return "depth" if depths else "uncalibrated"
    return "calibrated" if all(scaled) else "mixed"
