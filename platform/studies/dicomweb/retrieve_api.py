"""WADO-RS: instances, their metadata, large values, frames and pictures (PS3.18, 10.4), and their removal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.permissions import READERS, allows
from accounts.roles import Role
from common.contract import answers
from studies.api import AcceptHeaderIgnored
from studies.dicom.facts import Look
from studies.dicom.uids import is_uid
from studies.dicomweb import addresses, bodies, forms, frames, metadata, pictures
from studies.dicomweb.bodies import NOTICE, NOTICE_HEADER, Later, Part
from studies.dicomweb.dicom_json import DICOM_JSON, JSON, DicomJson
from studies.dicomweb.forms import DICOM, OCTETS, Form
from studies.dicomweb.negotiation import accepted
from studies.dicomweb.removal import remove
from studies.dicomweb.resources import CannotGive, Resource, Uids, headers_of, opened, refusal, stored_file
from studies.ingest.stow_api import StowView
from studies.models import Clip
from studies.sandbox import pool

_STEPS = re.compile(r"[0-9A-Fa-f]{8}(/[0-9]{1,6}/[0-9A-Fa-f]{8}){0,15}")
_PIXEL_DATA = "7FE00010"
MOST_PICTURES = 200
Each = TypeVar("Each")


class DicomView(APIView):
    """A door for readers; errors are JSON whatever ``Accept`` says."""

    permission_classes = [allows(*READERS)]
    content_negotiation_class = AcceptHeaderIgnored


class AdminsDelete(APIView):
    """Only an admin takes something away."""

    def get_permissions(self) -> list[BasePermission]:
        roles = (Role.ADMIN,) if self.request.method == "DELETE" else READERS
        return [allows(*roles)()]


def _gone(request: Request, uids: Uids) -> HttpResponse:
    remove(request, uids)
    return HttpResponse(status=204)


def _named(study: str, series: str = "", instance: str = "") -> Uids:
    """Raises Http404 for what is no identifier."""
    if not all(is_uid(uid) for uid in (study, series, instance) if uid):
        raise Http404
    return Uids(study, series, instance)


def _etag(*facts: str) -> str:
    return f'"{hashlib.sha256(chr(10).join(facts).encode()).hexdigest()[:40]}"'


def _is_known(request: Request, etag: str) -> bool:
    known = request.headers.get("If-None-Match", "")
    return known.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in known.split(",")]


def _range_of(request: Request, etag: str) -> str:
    """Without a range where the client holds a part of something else (RFC 9110, 13.1.5)."""
    condition = request.headers.get("If-Range", "")
    return request.headers.get("Range", "") if condition in ("", etag) else ""


def retrieved(request: Request, uids: Uids) -> HttpResponseBase:
    """Files as they came in, or recoded. Of several, damaged ones are left out: 206, with a warning."""
    resource = opened(request, "dicom_instances.retrieved", uids)
    clips = resource.clips
    form = forms.of_instances(accepted(request), {clip.transfer_syntax for clip in clips}, count=len(clips))
    etag = _etag(form.content_type, str(form.stored), str(form.multipart), *(clip.digest for clip in clips))
    if _is_known(request, etag):
        return bodies.not_modified(etag)
    parts, lost = _present(request, resource, lambda clip, path: _instance_part(resource, clip, path, form))
    if not form.multipart:
        part = parts[0]() if callable(parts[0]) else parts[0]
        return bodies.single(part, asked_range=_range_of(request, etag), etag=etag)
    response = bodies.multipart(parts, DICOM, status=206 if lost else 200)
    response["ETag"] = etag
    return _with_lost(response, lost)


def _present(
    request: Request, resource: Resource, part_of: Callable[[Clip, Path], Each]
) -> tuple[list[Each], list[CannotGive]]:
    """A part for each clip whose file is whole; raises CannotGive where that is none."""
    parts: list[Each] = []
    lost: list[CannotGive] = []
    for clip in resource.clips:
        try:
            parts.append(part_of(clip, stored_file(request, resource, clip)))
        except CannotGive as failure:
            lost.append(failure)
    if not parts:
        raise lost[0]
    return parts, lost


def _with_lost(response: HttpResponseBase, lost: Sequence[CannotGive]) -> HttpResponseBase:
    if lost:
        response["Warning"] = f'299 {addresses.service()} "{len(lost)} left out. {lost[0].detail}"'
    return response


def _instance_part(resource: Resource, clip: Clip, path: Path, form: Form) -> Part | Later:
    """As it is stored, or recoded when its turn comes: one file at a time is in memory."""
    address = addresses.of_instance(resource.study.uid, clip.series_uid, clip.sop_uid)
    whole = bodies.whole_file(path)
    as_stored = f"{DICOM}; transfer-syntax={clip.transfer_syntax}"
    if form.stored or clip.transfer_syntax == form.syntax:
        return Part(as_stored, whole, address)

    def recoded() -> Part:
        try:
            return Part(form.content_type, pool.recoded(path), address)
        except pool.SandboxError:
            # Nobody is better off without it: as it is stored, which its part says.
            return Part(as_stored, whole, address)

    return recoded


def described(request: Request, uids: Uids) -> HttpResponse:
    """The headers of all instances, from the database alone."""
    kind = accepted(request).best([DICOM_JSON, JSON])
    resource = opened(request, "dicom_metadata.retrieved", uids)
    etag = _etag(kind, addresses.service(), *(f"{clip.digest}{hasattr(clip, 'header')}" for clip in resource.clips))
    if _is_known(request, etag):
        return bodies.not_modified(etag)
    kept = headers_of(resource)
    texts = [metadata.text(clip, kept.get(clip.pk), resource.study.uid) for clip in resource.clips]
    response = HttpResponse(b"[" + b",".join(texts) + b"]", content_type=kind)
    response["ETag"] = etag
    response[NOTICE_HEADER] = NOTICE
    return response


def _one(request: Request, action: str, uids: Uids, **detail: Any) -> tuple[Resource, Clip, Path]:
    resource = opened(request, action, uids, **detail)
    clip = resource.clips[0]
    return resource, clip, stored_file(request, resource, clip)


def _framed(request: Request, uids: Uids, text: str) -> HttpResponseBase:
    resource, clip, path = _one(request, "dicom_frames.retrieved", uids, frames=text[:200])
    numbers = frames.numbered(text, clip)
    form = forms.of_frames(accepted(request), clip.transfer_syntax, count=len(numbers))
    etag = _etag(clip.digest, form.content_type, str(form.stored), str(form.multipart), text)
    if _is_known(request, etag):
        return bodies.not_modified(etag)
    address = addresses.of_instance(resource.study.uid, clip.series_uid, clip.sop_uid)
    found = frames.bodies(clip, path, numbers, form)
    parts = [
        Part(form.content_type, body, f"{address}/frames/{number}") for number, body in zip(numbers, found, strict=True)
    ]
    return _of_form(request, parts, form, etag)


def _of_form(request: Request, parts: Sequence[Part], form: Form, etag: str) -> HttpResponseBase:
    if not form.multipart:
        return bodies.single(parts[0], asked_range=_range_of(request, etag), etag=etag)
    response = bodies.multipart(parts, form.kind)
    response["ETag"] = etag
    return response


def _bulk(request: Request, uids: Uids, steps: str) -> HttpResponseBase:
    """A large value; that of the pixels is all frames: one body uncompressed, or a part for each compressed one."""
    if not _STEPS.fullmatch(steps):
        raise Http404
    steps = steps.upper()
    resource, clip, path = _one(request, "dicom_bulk_data.retrieved", uids, value=steps)
    if steps == _PIXEL_DATA and clip.has_frames:
        return _all_pixels(request, resource, clip, path)
    form = forms.of_frames(accepted(request), forms.EXPLICIT, count=1)
    etag = _etag(clip.digest, steps, str(form.multipart))
    if _is_known(request, etag):
        return bodies.not_modified(etag)
    try:
        data = pool.value(path, steps.split("/"))
    except pool.SandboxError as failure:
        if failure.code == "no_such_value":
            raise Http404 from failure
        raise refusal(failure) from failure
    return _of_form(request, [Part(OCTETS, data)], form, etag)


def _all_pixels(request: Request, resource: Resource, clip: Clip, path: Path) -> HttpResponseBase:
    numbers = range(1, clip.frames + 1)
    wanted = accepted(request)
    form = forms.of_frames(wanted, clip.transfer_syntax, count=1)
    if form.stored and clip.frames > 1:
        form = forms.of_frames(wanted, clip.transfer_syntax, count=clip.frames)
    etag = _etag(clip.digest, _PIXEL_DATA, form.content_type, str(form.stored), str(form.multipart))
    if _is_known(request, etag):
        return bodies.not_modified(etag)
    found = frames.bodies(clip, path, numbers, form)
    if form.stored:
        return _of_form(request, [Part(form.content_type, body) for body in found], form, etag)
    return _of_form(request, [Part(form.content_type, _joined(found, path))], form, etag)


def _joined(found: Sequence[bodies.Body], path: Path) -> bodies.Body:
    """All frames as one body: a place in the file, or one after another."""
    pieces = [body for body in found if isinstance(body, bodies.Pieces)]
    if len(pieces) == len(found):
        first, last = pieces[0].places[0], pieces[-1].places[-1]
        return bodies.Pieces(path, [(first[0], last[0] + last[1] - first[0])])
    return bodies.Joined(found)


def shown(request: Request, uids: Uids, numbers: str, *, small: bool) -> HttpResponseBase:
    """Pictures: of one instance its first frame (its middle one, small), of several instances one for each."""
    kind = _picture_kind(request)
    query = {name: request.query_params[name] for name in request.query_params}
    look = pictures.thumbnail_look(query, kind) if small else pictures.look_of(query, kind)
    action = "dicom_thumbnail.retrieved" if small else "dicom_rendered.retrieved"
    resource = opened(request, action, uids, **({"frames": numbers[:200]} if numbers else {}))
    if numbers or uids.instance or small:
        return _pictures_of_one(request, resource, numbers, look, small=small)
    resource = Resource(resource.study, [clip for clip in resource.clips if clip.has_frames][:MOST_PICTURES])
    if not resource.clips:
        raise CannotGive("It holds no image.")
    etag = _etag(str(look), *(clip.digest for clip in resource.clips))
    if _is_known(request, etag):
        return bodies.not_modified(etag)
    parts, lost = _present(request, resource, lambda clip, path: Part(kind, pictures.picture(clip, path, 1, look)))
    if len(parts) == 1 and not lost:
        return bodies.single(parts[0], asked_range=_range_of(request, etag), etag=etag)
    response = bodies.multipart(parts, kind, status=206 if lost else 200)
    response["ETag"] = etag
    return _with_lost(response, lost)


def _picture_kind(request: Request) -> str:
    wanted = accepted(request)
    for each in wanted.ranges:
        for kind in (pictures.JPEG, pictures.PNG):
            if each.takes(kind):
                return kind
    raise wanted.refusal([pictures.JPEG, pictures.PNG])


def _pictures_of_one(
    request: Request, resource: Resource, numbers: str, look: Look, *, small: bool
) -> HttpResponseBase:
    pictured = [clip for clip in resource.clips if clip.has_frames]
    clip = (pictured or resource.clips)[len(pictured) // 2 if small and len(pictured) > 1 else 0]
    if not clip.has_frames:
        raise CannotGive("It holds no image.")
    middle = (clip.frames + 1) // 2 if small else 1
    asked = frames.numbered(numbers, clip) if numbers else [middle]
    if len(asked) > MOST_PICTURES:
        raise CannotGive(f"At most {MOST_PICTURES} pictures come at once.")
    etag = _etag(clip.digest, str(look), str(asked))
    path = stored_file(request, resource, clip)
    if _is_known(request, etag):
        return bodies.not_modified(etag)
    parts = [Part(look["kind"], pictures.picture(clip, path, number, look)) for number in asked]
    if len(parts) > 1:
        return bodies.multipart(parts, look["kind"])
    return bodies.single(parts[0], asked_range=_range_of(request, etag), etag=etag)


class StudyView(AdminsDelete, StowView):
    """One study: everything in it, and the door for more of it."""

    @answers(bytes, media_type=f"multipart/related; type={DICOM}", also={206: bytes, 304: None})
    def get(self, request: Request, study: str) -> HttpResponseBase:
        """Every instance of the study."""
        return retrieved(request, _named(study))

    @answers(None, status=204)
    def delete(self, request: Request, study: str) -> HttpResponse:
        """Take the study away; its bytes and the audit stay."""
        return _gone(request, _named(study))


class OneSeriesView(AdminsDelete, DicomView):
    @answers(bytes, media_type=f"multipart/related; type={DICOM}", also={206: bytes, 304: None})
    def get(self, request: Request, study: str, series: str) -> HttpResponseBase:
        """Every instance of the series."""
        return retrieved(request, _named(study, series))

    @answers(None, status=204)
    def delete(self, request: Request, study: str, series: str) -> HttpResponse:
        """Take the series away; its bytes and the audit stay."""
        return _gone(request, _named(study, series))


class InstanceView(AdminsDelete, DicomView):
    @answers(bytes, media_type=f"multipart/related; type={DICOM}", also={206: bytes, 304: None}, files=[DICOM])
    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponseBase:
        """One instance: in a part of its own, or alone."""
        return retrieved(request, _named(study, series, instance))

    @answers(None, status=204)
    def delete(self, request: Request, study: str, series: str, instance: str) -> HttpResponse:
        """Take the instance away; its bytes and the audit stay."""
        return _gone(request, _named(study, series, instance))


class MetadataView(DicomView):
    @answers(list[DicomJson], media_type=DICOM_JSON, also={304: None})
    def get(self, request: Request, study: str, series: str = "", instance: str = "") -> HttpResponse:
        """The headers of the instances."""
        return described(request, _named(study, series, instance))


class BulkDataView(DicomView):
    @answers(bytes, media_type=OCTETS, also={206: bytes, 304: None})
    def get(self, request: Request, study: str, series: str, instance: str, steps: str) -> HttpResponseBase:
        """A large value, at the address that the metadata give."""
        return _bulk(request, _named(study, series, instance), steps)


class FramesView(DicomView):
    @answers(bytes, media_type=f"multipart/related; type={OCTETS}", also={206: bytes, 304: None}, files=[OCTETS])
    def get(self, request: Request, study: str, series: str, instance: str, frames: str) -> HttpResponseBase:
        """Frames by their numbers from 1, with commas between them."""
        return _framed(request, _named(study, series, instance), frames)


class RenderedView(DicomView):
    small = False

    @answers(bytes, media_type=pictures.JPEG, also={206: bytes, 304: None}, files=[pictures.PNG])
    def get(
        self, request: Request, study: str, series: str = "", instance: str = "", frames: str = ""
    ) -> HttpResponseBase:
        """Pictures for people: JPEG or PNG, windowed, cut and scaled as the query says."""
        return shown(request, _named(study, series, instance), frames, small=self.small)


class ThumbnailView(RenderedView):
    small = True
