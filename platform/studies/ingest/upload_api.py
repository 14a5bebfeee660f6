"""``POST /api/v1/upload/``: files and archives from a browser or a script, taken in as they stream in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, NotRequired, TypedDict

from django.conf import settings
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, allows, person
from common.contract import answers
from studies import storage
from studies.ingest import archive, multipart
from studies.ingest.pipeline import Intake
from studies.ingest.results import FileResult, Sender, label
from studies.ingest.streamed_request import STREAMING_AUTHENTICATION, BrokenBody, all_or_nothing, body_of

_FIELD_LIMIT = 4096


class UploadForm(TypedDict):
    """Read as it streams in, so that no serializer ever sees it whole."""

    files: Annotated[list[bytes], "DICOM files or zip archives"]
    paths: NotRequired[Annotated[list[str], "names of the files, in the same order"]]


class UploadResult(TypedDict):
    """What became of each file, those of archives one by one, in the order of arrival."""

    results: list[FileResult]


class UploadView(APIView):
    """Multipart form data; each ``files`` part is a DICOM file or a zip. ``paths`` may name them in the same order."""

    authentication_classes = STREAMING_AUTHENTICATION
    permission_classes = [allows(*READERS)]

    @answers(UploadResult, asks={"multipart/form-data": UploadForm})
    def post(self, request: Request) -> Response:
        kind = multipart.content_type(request.META.get("CONTENT_TYPE", ""))
        if kind.get_content_type() != "multipart/form-data":
            raise exceptions.UnsupportedMediaType(kind.get_content_type())
        try:
            body = body_of(request, kind)
        except multipart.BadMultipart as error:
            raise BrokenBody(f"The request is broken: {error}.") from None
        intake = Intake(Sender("upload", person(request), request._request))
        form = _Form(intake)
        results = all_or_nothing(intake, lambda: form.add_parts(body))
        if not results:
            raise BrokenBody("No file came with this request.")
        return Response(UploadResult(results=[result.as_json() for result in results]))


class _Form:
    """Puts the parts of a form into an intake, then gives them the paths that came beside them."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.paths: list[str] = []
        self.spans: list[tuple[str, int, int]] = []

    def add_parts(self, body: multipart.Body) -> None:
        for part in body.parts():
            if part.filename is not None:
                self._add_file(part)
            elif part.name == "paths":
                self.paths.append(_text(part.body))
        if len(self.paths) == len(self.spans):
            self._rename()

    def _add_file(self, part: multipart.Part) -> None:
        name = part.filename or "unnamed"
        start = len(self.intake.arrivals)
        add_file(self.intake, name, part.body)
        self.spans.append((name, start, len(self.intake.arrivals)))

    def _rename(self) -> None:
        for path, (name, start, end) in zip(self.paths, self.spans, strict=True):
            for arrival in self.intake.arrivals[start:end]:
                arrival.name = label(path + arrival.name.removeprefix(label(name)))


def _text(chunks: Iterator[bytes]) -> str:
    return b"".join(itertools.islice(chunks, 1))[:_FIELD_LIMIT].decode("utf-8", "replace")


def add_file(intake: Intake, name: str, chunks: Iterator[bytes]) -> None:
    """A DICOM file, or an archive, which must be here as a whole before its directory can be read."""
    first = next(chunks, b"")
    everything = itertools.chain([first], chunks)
    if not archive.is_zip(first):
        intake.add(name, everything)
        return
    staged = storage.stage(everything, limit=settings.UPLOAD_MAX_BYTES)
    try:
        with staged.path.open("rb") as stream:
            archive.add_archive(intake, name, stream, staged.size)
    finally:
        staged.discard()
