"""REST: studies, their frames and thumbnails."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from live.models import Audience
from live.publish import publish
from studies import access, frame_cache
from studies.dicom import view_labels
from studies.models import Clip, Priority, View, ViewSource
from studies.payloads import describe_clip, describe_study, notes, ordered_clips
from studies.sandbox import pool

JSON = OpenApiTypes.OBJECT
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


def _cannot_show(error: frame_cache.FrameError) -> exceptions.APIException:
    return Busy(f"{error.reason} Try again.") if error.busy else Undecodable(error.reason)


class WhateverIsAccepted(BaseContentNegotiation):
    """A picture is a picture, and an error JSON, whatever ``Accept`` says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class PriorityChange(serializers.Serializer[Any]):
    priority = serializers.ChoiceField(choices=Priority.choices)


class ViewChange(serializers.Serializer[Any]):
    view = serializers.ChoiceField(choices=View.choices)
    plane = serializers.CharField(max_length=16, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["plane"] and attrs["plane"] not in view_labels.PLANES[attrs["view"]]:
            raise serializers.ValidationError({"plane": [f"The {attrs['view']} view has no plane {attrs['plane']}."]})
        return attrs


class ClipViewView(APIView):
    @extend_schema(request=ViewChange, responses=JSON)
    def patch(self, request: Request, uid: str, sop_uid: str) -> Response:
        """Say which view a clip shows, in place of what its tags suggest; the clip, and the notes that follow."""
        change = ViewChange(data=request.data)
        change.is_valid(raise_exception=True)
        view, plane = change.validated_data["view"], change.validated_data["plane"]
        with transaction.atomic():
            was = access.visible_clips(request.user, uid).filter(sop_uid=sop_uid).values("view", "plane").first()
            clip = access.open_clip(request, uid, sop_uid, "clip.view_changed", view=view, plane=plane, before=was)
            clip.view, clip.plane, clip.view_source = view, plane, ViewSource.PERSON
            clip.save(update_fields=["view", "plane", "view_source"])
            clips = ordered_clips(clip.study)
            number = 1 + [each.pk for each in clips].index(clip.pk)
            return Response({"clip": describe_clip(clip, uid, number), "notes": notes(clips)})


class StudyView(APIView):
    @extend_schema(responses=JSON)
    def get(self, request: Request, uid: str) -> Response:
        """A study with its patient, clips and priors. No AI: that is ``score/``.

        ``?ahead=1``: nobody looks at it yet, a page loads it before its reader comes to it.
        """
        pool.warm()
        action = "study.prefetched" if request.query_params.get("ahead") == "1" else "study.viewed"
        with transaction.atomic():
            study = access.open_study(request, uid, action)
            return Response(describe_study(study, request.user))

    @extend_schema(request=PriorityChange, responses=JSON)
    def patch(self, request: Request, uid: str) -> Response:
        """Change the clinical priority."""
        change = PriorityChange(data=request.data)
        change.is_valid(raise_exception=True)
        if not access.sees_everything(request.user):
            raise Http404
        with transaction.atomic():
            study = access.open_study(
                request, uid, "study.priority_changed", priority=change.validated_data["priority"]
            )
            study.priority = change.validated_data["priority"]
            study.save(update_fields=["priority"])
            publish("study", audience=Audience.READERS, study_uid=study.uid)
            return Response(describe_study(study, request.user))


class FrameView(APIView):
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses={(200, "image/png"): bytes})
    def get(self, request: Request, uid: str, sop_uid: str, frame: int) -> HttpResponse:
        """One frame, 8 bits: the device's JPEG untouched where a browser shows it right, else PNG."""
        with transaction.atomic():
            action = "frame.prefetched" if request.headers.get(AHEAD_HEADER) == "1" else "frame.viewed"
            clip = access.open_clip(request, uid, sop_uid, action, frame=frame)
        if clip.frames and not 1 <= frame <= clip.frames:
            raise exceptions.NotFound(f"The clip has {clip.frames} frames.", code="no_such_frame")
        try:
            picture = frame_cache.frame_bytes(clip, frame)
        except frame_cache.FrameError as error:
            raise _cannot_show(error) from error
        response = HttpResponse(picture.data, content_type=picture.content_type)
        response["X-Fontanelle-Source"] = picture.source
        return response


class FramesView(APIView):
    """Several frames in one answer: one audit entry and one journey instead of many."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses={(200, "application/octet-stream"): bytes})
    def get(self, request: Request, uid: str, sop_uid: str, first: int, last: int) -> HttpResponse:
        """Frames ``first`` to ``last``: the length of a JSON list (4 bytes, big-endian), the list of ``frame``,
        ``type`` and ``size``, then the pictures one after another. One that cannot be shown is left out: asked for
        alone it says why."""
        action = "frames.prefetched" if request.headers.get(AHEAD_HEADER) == "1" else "frames.viewed"
        with transaction.atomic():
            clip = access.open_clip(request, uid, sop_uid, action, frames=[first, last])
        if not 1 <= first <= last <= clip.frames or last - first >= MOST_FRAMES:
            raise exceptions.NotFound(f"The clip has {clip.frames} frames; at most {MOST_FRAMES} come at once.")
        found = [(number, picture) for number in range(first, last + 1) if (picture := _picture(clip, number))]
        told = [{"frame": number, "type": each.content_type, "size": len(each.data)} for number, each in found]
        head = json.dumps(told).encode()
        body = [len(head).to_bytes(4, "big"), head, *(each.data for _, each in found)]
        return HttpResponse(b"".join(body), content_type="application/octet-stream")


def _picture(clip: Clip, number: int) -> frame_cache.Frame | None:
    try:
        return frame_cache.frame_bytes(clip, number)
    except frame_cache.FrameError:
        return None


class ThumbnailView(APIView):
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses={(200, "image/jpeg"): bytes})
    def get(self, request: Request, uid: str, sop_uid: str) -> HttpResponse:
        """The middle frame, small."""
        with transaction.atomic():
            clip = access.open_clip(request, uid, sop_uid, "thumbnail.viewed")
        try:
            return HttpResponse(frame_cache.thumbnail(clip), content_type="image/jpeg")
        except frame_cache.FrameError as error:
            raise _cannot_show(error) from error
