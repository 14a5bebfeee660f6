"""REST: studies, their frames and thumbnails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from django.db import transaction
from django.http import Http404, HttpResponse
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import person
from common.contract import answers, published
from common.validation import checked
from live.models import Audience
from live.publish import publish
from studies import access, disclosure, frame_cache, storage
from studies.dicom import view_labels
from studies.disclosure import Disclosure, Window, Withheld, telling_nothing
from studies.models import Clip, Priority, View, ViewSource
from studies.payloads import ClipChange, StudyDetail, describe_clip, describe_study, notes, ordered_clips
from studies.sandbox import pool

MOST_FRAMES = 32
AHEAD_HEADER = "X-Fontanelle-Ahead"


class Undecodable(exceptions.APIException):
    status_code = 422
    default_code = "undecodable"
    default_detail = "The pixels cannot be decoded."


class Busy(exceptions.APIException):
    """Worth asking again: it is the machine that was slow."""

    status_code = 503
    default_code = "busy"
    wait = 5


def _cannot_show(
    request: Request, clip: Clip, error: frame_cache.FrameError, known: Disclosure
) -> exceptions.APIException:
    """A reason that quotes the header is not for who may not know whose it is. Changed bytes are on record."""
    if isinstance(error.__cause__, storage.Corrupt):
        access.note_damage(request, clip.study, clip.sop_uid)
    ours = known.identity or isinstance(error.__cause__, Withheld)
    reason = error.reason if ours else "".join(telling_nothing([error.reason]))
    return Busy(f"{reason} Try again.".strip()) if error.busy else Undecodable(reason or None)


class AcceptHeaderIgnored(BaseContentNegotiation):
    """A picture is a picture, and an error JSON, whatever ``Accept`` says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


@published
class FrameEntry(TypedDict):
    """One picture of a run of frames; the bytes of all follow the list, in its order."""

    frame: int
    type: Annotated[str, "media type"]
    size: Annotated[int, "bytes"]


class Ahead(serializers.Serializer[Any]):
    ahead = serializers.ChoiceField(
        choices=["0", "1"], default="0", help_text="1: a page loads it before anybody looks at it"
    )


class PriorityChange(serializers.Serializer[Any]):
    priority = serializers.ChoiceField(choices=Priority.choices)


class ViewChange(serializers.Serializer[Any]):
    view = serializers.ChoiceField(choices=View.choices)
    plane = serializers.CharField(
        max_length=16, allow_blank=True, default="", help_text="one of the view's planes; empty for a sweep"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["plane"] and attrs["plane"] not in view_labels.PLANES[attrs["view"]]:
            raise serializers.ValidationError({"plane": [f"The {attrs['view']} view has no plane {attrs['plane']}."]})
        return attrs


class ClipViewView(APIView):
    """Everybody sees the view that was set, and notes of the study follow from it: readers of the list set it."""

    @answers(ClipChange, asks=ViewChange)
    def patch(self, request: Request, uid: str, sop_uid: str) -> Response:
        """Say which view a clip shows, in place of what its tags suggest; the clip, and the notes that follow."""
        change = checked(ViewChange, request.data)
        view, plane = change["view"], change["plane"]
        before = access.visible_clips(request.user, uid).filter(sop_uid=sop_uid).values("view", "plane").first()
        if before is not None and not access.sees_everything(request.user):
            raise exceptions.PermissionDenied("A view is set for everybody, by radiologists. Nothing was changed.")
        with transaction.atomic():
            clip = access.open_clip(request, uid, sop_uid, "clip.view_changed", view=view, plane=plane, before=before)
            clip.view, clip.plane, clip.view_source = view, plane, ViewSource.PERSON
            clip.save(update_fields=["view", "plane", "view_source"])
            clips = ordered_clips(clip.study)
            number = 1 + [each.pk for each in clips].index(clip.pk)
            known = disclosure.to(request.user, clip.study)
            described = describe_clip(clip, uid, number, known)
            return Response(ClipChange(clip=described, notes=notes(clip.study, clips, known, person(request))))


class StudyView(APIView):
    @answers(StudyDetail, query=Ahead)
    def get(self, request: Request, uid: str) -> Response:
        """A study with its patient, clips and priors. No AI: that is ``score/``."""
        pool.warm()
        action = "study.prefetched" if request.query_params.get("ahead") == "1" else "study.viewed"
        with transaction.atomic():
            study = access.open_study(request, uid, action)
            return Response(describe_study(study, person(request)))

    @answers(StudyDetail, asks=PriorityChange)
    def patch(self, request: Request, uid: str) -> Response:
        """Change the clinical priority."""
        priority = checked(PriorityChange, request.data)["priority"]
        if not access.sees_everything(request.user):
            raise Http404
        with transaction.atomic():
            study = access.open_study(request, uid, "study.priority_changed", priority=priority)
            study.priority = priority
            study.save(update_fields=["priority"])
            publish("study", audience=Audience.READERS, study_uid=study.uid)
            return Response(describe_study(study, person(request)))


class FrameView(APIView):
    content_negotiation_class = AcceptHeaderIgnored

    @answers(bytes, media_type="image/png")
    def get(self, request: Request, uid: str, sop_uid: str, frame: int) -> HttpResponse:
        """One frame, 8 bits: the device's JPEG untouched where a browser shows it right, else PNG."""
        with transaction.atomic():
            action = "frame.prefetched" if request.headers.get(AHEAD_HEADER) == "1" else "frame.viewed"
            clip = access.open_clip(request, uid, sop_uid, action, frame=frame)
        if clip.has_frames and not 1 <= frame <= clip.frames:
            raise exceptions.NotFound(f"The clip has {clip.frames} frames.", code="no_such_frame")
        known = disclosure.to(request.user, clip.study)
        try:
            picture = _frame(clip, frame, known)
        except frame_cache.FrameError as error:
            raise _cannot_show(request, clip, error, known) from error
        response = HttpResponse(picture.data, content_type=picture.content_type)
        response["X-Fontanelle-Source"] = picture.source
        return response


class FramesView(APIView):
    """Several frames in one answer: one audit entry and one round trip instead of many."""

    content_negotiation_class = AcceptHeaderIgnored

    @answers(bytes, media_type="application/octet-stream")
    def get(self, request: Request, uid: str, sop_uid: str, first: int, last: int) -> HttpResponse:
        """Frames ``first`` to ``last``: the length of a JSON list (4 bytes, big-endian), the list (``frame``,
        ``type``, ``size``), then the pictures one after another. One that cannot be shown is left out: asked for
        alone it says why."""
        action = "frames.prefetched" if request.headers.get(AHEAD_HEADER) == "1" else "frames.viewed"
        with transaction.atomic():
            clip = access.open_clip(request, uid, sop_uid, action, frames=[first, last])
        if not 1 <= first <= last <= clip.frames or last - first >= MOST_FRAMES:
            raise exceptions.NotFound(f"The clip has {clip.frames} frames; at most {MOST_FRAMES} come at once.")
        known = disclosure.to(request.user, clip.study)
        pictures = {number: picture for number in range(first, last + 1) if (picture := _picture(clip, number, known))}
        head = json.dumps([_entry(number, picture) for number, picture in pictures.items()]).encode()
        body = [len(head).to_bytes(4, "big"), head, *(picture.data for picture in pictures.values())]
        return HttpResponse(b"".join(body), content_type="application/octet-stream")


def _entry(number: int, picture: frame_cache.Frame) -> FrameEntry:
    return {"frame": number, "type": picture.content_type, "size": len(picture.data)}


def _frame(clip: Clip, number: int, known: Disclosure) -> frame_cache.Frame:
    """A frame, or as much of it as somebody may see who may not know whose it is. Raises FrameError."""
    windows = _windows(clip, known, number)
    return frame_cache.frame_bytes(clip, number) if windows is None else frame_cache.masked_frame(clip, number, windows)


def _windows(clip: Clip, known: Disclosure, frame: int | None = None) -> Sequence[Window] | None:
    try:
        return known.windows(clip, frame)
    except Withheld as reason:
        raise frame_cache.FrameError(str(reason)) from reason


def _picture(clip: Clip, number: int, known: Disclosure) -> frame_cache.Frame | None:
    try:
        return _frame(clip, number, known)
    except frame_cache.FrameError:
        return None


class ThumbnailView(APIView):
    content_negotiation_class = AcceptHeaderIgnored

    @answers(bytes, media_type="image/jpeg")
    def get(self, request: Request, uid: str, sop_uid: str) -> HttpResponse:
        """The middle frame, small."""
        with transaction.atomic():
            clip = access.open_clip(request, uid, sop_uid, "thumbnail.viewed")
        known = disclosure.to(request.user, clip.study)
        try:
            windows = _windows(clip, known)
            small = frame_cache.thumbnail(clip) if windows is None else frame_cache.masked_thumbnail(clip, windows)
            return HttpResponse(small, content_type="image/jpeg")
        except frame_cache.FrameError as error:
            raise _cannot_show(request, clip, error, known) from error
