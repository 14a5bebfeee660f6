"""A study, a series or an instance that somebody asks for: through the one door, with one audit entry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request

from studies import access, storage
from studies.dicom.facts import Places
from studies.dicomweb.metadata import Deflated
from studies.models import Clip, InstanceHeader, Study
from studies.sandbox import pool

_COLUMNS = (
    "study_id",
    "sop_uid",
    "sop_class",
    "series_uid",
    "series_number",
    "instance_number",
    "modality",
    "transfer_syntax",
    "frames",
    "rows",
    "columns",
    "samples",
    "bits_stored",
    "digest",
    "header__places",
)
_CHANGED = "The stored file of {} has changed on the disk. It is not given out; tell your admin."
_LOST = "The stored file of {} is missing. Tell your admin."


class CannotGive(exceptions.APIException):
    """What is asked for is there, and cannot be given: the file is damaged, or no decoder takes it."""

    status_code = 422
    default_code = "undecodable"


class Busy(exceptions.APIException):
    status_code = 503
    default_code = "busy"
    wait = 5


@dataclass(frozen=True)
class Resource:
    """``clips`` in the order of series and instances, each with its header, as far as one was kept."""

    study: Study
    clips: list[Clip]

    @property
    def patient_id(self) -> str:
        return self.study.patient.patient_id


@transaction.atomic
def opened(request: Request, action: str, uids: Uids, **detail: Any) -> Resource:
    """Raises Http404 for what does not exist and for what this person may not see."""
    named = {name: uid for name, uid in (("series", uids.series), ("sop_uid", uids.instance)) if uid}
    study = access.open_study(request, uids.study, action, **named, **detail)
    clips = study.clips.select_related("header").only(*_COLUMNS)
    clips = clips.order_by("series_number", "series_uid", "instance_number", "pk")
    if uids.series:
        clips = clips.filter(series_uid=uids.series)
    if uids.instance:
        clips = clips.filter(sop_uid=uids.instance)
    found = list(clips)
    if not found:
        raise Http404
    return Resource(study, found)


@dataclass(frozen=True)
class Uids:
    """What an address names; empty below the level that it is of."""

    study: str
    series: str = ""
    instance: str = ""


def headers_of(resource: Resource) -> dict[int, Deflated]:
    """Whole headers, by the key of their clip."""
    rows = InstanceHeader.objects.filter(clip__in=[clip.pk for clip in resource.clips])
    return dict(rows.values_list("clip_id", "elements"))


def places_of(clip: Clip) -> Places | None:
    places: Places | None = clip.header.places if hasattr(clip, "header") else None
    return places


def stored_file(request: Request, resource: Resource, clip: Clip) -> Path:
    """The file, whose bytes are those that came in. One that has changed is on record, and never given out."""
    try:
        return storage.verified(clip.digest)
    except storage.Corrupt:
        access.note_damage(request, resource.study, clip.sop_uid)
        raise CannotGive(_CHANGED.format(clip.sop_uid), code="corrupt") from None
    except storage.Missing:
        raise CannotGive(_LOST.format(clip.sop_uid), code="missing") from None


def refusal(failure: pool.SandboxError) -> exceptions.APIException:
    return Busy(f"{failure.reason} Try again.") if failure.code == pool.TOO_SLOW else CannotGive(failure.reason)
