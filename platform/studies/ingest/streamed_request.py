"""Requests whose bodies are taken in as they stream in: how they sign in, what they are refused for, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message

from django.conf import settings
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.utils.datastructures import MultiValueDict
from drf_spectacular.authentication import SessionScheme
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.request import Request

from studies import storage
from studies.ingest import multipart
from studies.ingest.pipeline import Intake
from studies.ingest.results import IngestResult


class DiskIsFull(exceptions.APIException):
    status_code = 507
    default_code = "disk_full"
    default_detail = (
        "The server's disk is full. Nothing of this request was stored. Tell your admin, then send it again."
    )


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"

    def __init__(self) -> None:
        limit = settings.UPLOAD_MAX_BYTES // 1024**2
        files = settings.DATA_UPLOAD_MAX_NUMBER_FILES
        super().__init__(f"One request may carry {limit} MB and {files} files. Nothing was stored. Send it in parts.")


class BrokenBody(exceptions.ParseError):
    default_code = "malformed"


class HeaderOnlySession(SessionAuthentication):
    """A session whose CSRF token comes in the header, so that its check does not read the body before the view does."""

    def enforce_csrf(self, request: HttpRequest | Request) -> None:
        plain = request._request if isinstance(request, Request) else request
        plain._post, plain._files = QueryDict(), MultiValueDict()  # type: ignore[attr-defined]  # Django's own cache of the body
        super().enforce_csrf(plain)  # type: ignore[arg-type]  # DRF asks for a plain request


class HeaderOnlySessionScheme(SessionScheme):
    """OpenAPI: a session like any other, under a name of its own."""

    target_class = "studies.ingest.streamed_request.HeaderOnlySession"
    name = "cookieAuthWithHeader"


STREAMING_AUTHENTICATION = [TokenAuthentication, HeaderOnlySession]


def body_of(request: Request, kind: Message) -> multipart.Body:
    """The multipart body of a request; raises TooLarge and DiskIsFull as check_length does."""
    check_length(request)
    return multipart.Body(
        request._request,
        multipart.boundary_of(kind),
        max_bytes=settings.UPLOAD_MAX_BYTES,
        max_parts=2 * settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    )


def check_length(request: Request) -> None:
    """Refuse at once a body that says that it is too large, or for which the disk has no room."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > settings.UPLOAD_MAX_BYTES:
        raise TooLarge
    try:
        storage.check_room(length)
    except storage.DiskFull:
        raise DiskIsFull from None


def all_or_nothing(intake: Intake, read: Callable[[], None]) -> list[IngestResult]:
    """Call ``read``, which adds files, and finish; whatever goes wrong on the way, nothing of the request is stored."""
    try:
        read()
        return intake.finish()
    except storage.DiskFull:
        intake.abandon()
        raise DiskIsFull from None
    except multipart.TooMuch:
        intake.abandon()
        raise TooLarge from None
    except (multipart.BadMultipart, UnreadablePostError) as error:
        intake.abandon()
        raise BrokenBody(f"The request is broken: {error}. Nothing was stored.") from None
    except BaseException:
        intake.abandon()
        raise
