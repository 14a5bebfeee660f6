"""A study as the API tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from studies.access import visible_studies
from studies.dicom import view_labels
from studies.models import Clip, Patient, Study, View, ViewSource

DEFAULT_RATE = 24.0
_ULTRASOUND = "US"
NO_MASTOID = "No mastoid view: posterior fossa not assessed."


def study_url(study: Study) -> str:
    return f"/studies/{study.uid}/"


def clip_url(study_uid: str, sop_uid: str) -> str:
    return f"/api/v1/studies/{study_uid}/clips/{sop_uid}/"


def ordered_clips(study: Study) -> list[Clip]:
    """In the order of acquisition; what has no believable date, by arrival."""
    return sorted(study.clips.all(), key=_clip_order)


def _clip_order(clip: Clip) -> tuple[Any, ...]:
    return (clip.acquired_at or clip.received_at, clip.series_number or 0, clip.instance_number or 0, clip.pk)


def describe_study(study: Study, user: Any) -> dict[str, Any]:
    """Everything but the AI: contract of ``GET /api/v1/studies/<uid>/``."""
    clips = ordered_clips(study)
    last = study.revisions.order_by("-number").first()
    on = timezone.localtime(study.acquired_at) if study.acquired_at else None
    return {
        "study_uid": study.uid,
        "url": study_url(study),
        "patient": describe_patient(study.patient),
        "day_of_life": study.patient.day_of_life(on),
        "postmenstrual_age_days": study.patient.postmenstrual_age_days(on),
        "priority": study.priority,
        "status": study.status,
        "revision": last.number if last else 0,
        "revision_closed": study.closes_at is None and last is not None,
        "closes_at": study.closes_at,
        "description": study.description,
        "accession": study.accession,
        "acquired_at": study.acquired_at,
        "last_image_at": study.last_image_at,
        "phantom": study.is_phantom,
        "notes": notes(clips),
        "priors": _priors(study, user),
        "siblings": _siblings(study, user),
        "clips": [describe_clip(clip, study.uid, number) for number, clip in enumerate(clips, 1)],
    }


def describe_patient(patient: Patient) -> dict[str, Any]:
    return {
        "id": patient.pk,
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "name": patient.name,
        "sex": patient.sex,
        "gestational_age_days": patient.gestational_age_days,
        "birth_weight_g": patient.birth_weight_g,
        "birth_date": patient.birth_date,
        "twin_group": patient.twin_group,
        "url": f"/patients/{patient.pk}/",
    }


def notes(clips: list[Clip]) -> list[str]:
    """What a reader must know before calling the study normal."""
    ultrasound = [clip for clip in clips if clip.modality == _ULTRASOUND and clip.frames]
    found = []
    if ultrasound and not any(clip.view == View.MASTOID for clip in ultrasound):
        found.append(NO_MASTOID)
    broken = sum(bool(clip.decode_error) for clip in clips)
    if broken:
        found.append(f"{broken} of {len(clips)} clips cannot be shown or are incomplete.")
    return found


def _priors(study: Study, user: Any) -> list[dict[str, Any]]:
    """Earlier studies of the infant that this person may see, the latest first."""
    mine = _when(study)
    others = visible_studies(user).filter(patient_id=study.patient_id).exclude(pk=study.pk).prefetch_related("clips")
    earlier = sorted((other for other in others if _when(other) < mine), key=_when, reverse=True)
    return [
        {
            "study_uid": other.uid,
            "url": study_url(other),
            "acquired_at": other.acquired_at,
            "days_before": (mine.date() - _when(other).date()).days,
            "summary": f"{other.description or 'Ultrasound'}, {len(other.clips.all())} clips",
        }
        for other in earlier
    ]


def _when(study: Study) -> datetime:
    return study.acquired_at or study.first_image_at


def _siblings(study: Study, user: Any) -> list[dict[str, Any]]:
    """Studies of the infant's twins."""
    group = study.patient.twin_group
    if not group:
        return []
    others = visible_studies(user).filter(patient__twin_group=group).exclude(patient_id=study.patient_id)
    return [
        {"study_uid": other.uid, "patient_id": other.patient.patient_id, "acquired_at": other.acquired_at}
        for other in others.select_related("patient").order_by("-last_image_at")[:20]
    ]


def describe_clip(clip: Clip, study_uid: str, number: int) -> dict[str, Any]:
    rate, source = frame_rate(clip)
    base = clip_url(study_uid, clip.sop_uid)
    return {
        "sop_uid": clip.sop_uid,
        "number": number,
        "view": clip.view,
        "plane": clip.plane,
        "view_source": clip.view_source,
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
        "decode_error": clip.decode_error,
        "scorable": clip.scorable,
        "parked_reason": clip.parked_reason,
        "warnings": clip.warnings,
        "thumbnail_url": f"{base}thumbnail/",
        "frame_url": f"{base}frames/{{frame}}/",
    }


def _label(clip: Clip) -> str:
    if clip.view_source == ViewSource.PERSON:
        return view_labels.named(clip.view, clip.plane, frames=clip.frames)
    return clip.label


def frame_rate(clip: Clip) -> tuple[float, str]:
    """(frames per second, where that comes from): its list of times, its frame time, what it recommends."""
    if clip.frame_times_ms and clip.frame_times_ms[-1] > 0:
        return round(1000 * (len(clip.frame_times_ms) - 1) / clip.frame_times_ms[-1], 3), "vector"
    if clip.frame_time_ms:
        return round(1000 / clip.frame_time_ms, 3), "frame_time"
    if clip.display_rate:
        return clip.display_rate, "recommended"
    return DEFAULT_RATE, "default"


def calibration(regions: list[dict[str, Any]]) -> str:
    """Whether lengths can be measured: in every two-dimensional region, in some, in none."""
    scaled = [region["dx_cm"] is not None for region in regions if region["type"] == "2d"]
    if not any(scaled):
        return "uncalibrated"
    return "calibrated" if all(scaled) else "mixed"
