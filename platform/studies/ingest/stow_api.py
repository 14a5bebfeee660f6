"""STOW-RS: ``POST /dicom-web/studies[/<study>]`` (PS3.18, 10.5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.permissions import READERS, allows, person
from common.contract import answers
from studies.api import AcceptHeaderIgnored
from studies.dicom.uids import is_uid
from studies.dicomweb import addresses
from studies.dicomweb.dicom_json import DICOM_JSON, JSON, DicomElement, DicomJson
from studies.dicomweb.negotiation import accepted
from studies.ingest import multipart
from studies.ingest.pipeline import Intake
from studies.ingest.results import IngestResult, Sender
from studies.ingest.streamed_request import STREAMING_AUTHENTICATION, BrokenBody, all_or_nothing, body_of, check_length

DICOM = "application/dicom"
# Failure reasons as dicom-server uses those of PS3.18, table I.2-1; 272 is a processing failure, PS3.7 annex C.
UNREADABLE, OTHER_STUDY, CONFLICT, PROCESSING_FAILURE = 43264, 43265, 45070, 272
NOT_AS_DECLARED = 45063
NOT_AUTHORISED = 292
_FAILURES = {
    "other_study": OTHER_STUDY,
    "conflict": CONFLICT,
    "sandbox_failed": PROCESSING_FAILURE,
    "deleted": NOT_AUTHORISED,
}
_FLAWS = {"truncated", "undecodable", "odd_identifiers"}


class StowView(APIView):
    authentication_classes = STREAMING_AUTHENTICATION
    permission_classes = [allows(*READERS)]
    content_negotiation_class = AcceptHeaderIgnored

    @answers(
        DicomJson,
        asks={"multipart/related": bytes, DICOM: bytes},
        media_type=DICOM_JSON,
        also={202: DicomJson, 204: None, 409: DicomJson},
    )
    def post(self, request: Request, study: str = "") -> HttpResponse:
        """Store instances; 200 all, 202 some or with warnings, 409 none, 204 nothing came."""
        kind = accepted(request).best([DICOM_JSON, JSON])
        if study and not is_uid(study):
            raise BrokenBody("The address does not name a valid study.")
        if request.META.get("CONTENT_LENGTH") in (None, "", "0") and "Transfer-Encoding" not in request.headers:
            return HttpResponse(status=204)
        intake = Intake(Sender("stow", person(request), request._request), expected_study=study)
        add = _adder(request)
        results = all_or_nothing(intake, lambda: add(intake))
        if not results:
            raise BrokenBody("The request has no parts.")
        answer = json.dumps(store_response(results, study)).encode()
        return HttpResponse(answer, status=status_of(results), content_type=kind)


def _adder(request: Request) -> Callable[[Intake], None]:
    """What adds the instances of the body: parts of it, or one that is all of it. Raises UnsupportedMediaType."""
    kind = multipart.content_type(request.META.get("CONTENT_TYPE", ""))
    inner = str(kind.get_param("type", DICOM)).partition(";")[0].strip().lower()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity" and kind.get_content_type() == DICOM:
        check_length(request)
        return lambda intake: intake.add("body", iter(lambda: request._request.read(multipart.CHUNK), b""))
    if kind.get_content_type() != "multipart/related" or inner != DICOM or encoding != "identity":
        raise exceptions.UnsupportedMediaType(request.META.get("CONTENT_TYPE", "")[:100])
    try:
        body = body_of(request, kind)
    except multipart.BadMultipart as error:
        raise BrokenBody(f"The request is broken: {error}.") from None
    return lambda intake: _add_parts(intake, body)


def _add_parts(intake: Intake, body: multipart.Body) -> None:
    for number, part in enumerate(body.parts(), 1):
        kind = part.headers.get_content_type() if "content-type" in part.headers else DICOM
        if kind != DICOM:
            intake.refuse(f"part {number}", "not_dicom", f"A part of the type {kind[:60]} is not taken.")
            continue
        intake.add(f"part {number}", part.body)


def status_of(results: Sequence[IngestResult]) -> int:
    failed = sum(result.refused for result in results)
    if failed == len(results):
        return 409
    return 202 if failed or any(_is_doubtful(result) for result in results) else 200


def store_response(results: Sequence[IngestResult], study_uid: str) -> DicomJson:
    """The Store Instances Response (PS3.18, 10.5.3), DICOM JSON."""
    stored = [result for result in results if not result.refused]
    failed = [result for result in results if result.refused]
    studies = {result.study_uid for result in stored} or ({study_uid} if study_uid else set())
    elements: DicomJson = {}
    if len(studies) == 1:
        elements["00081190"] = _element("UR", addresses.of_study(studies.pop()))
    if failed:
        elements["00081198"] = {"vr": "SQ", "Value": [_failed(result) for result in failed]}
    if stored:
        elements["00081199"] = {"vr": "SQ", "Value": [_stored(result) for result in stored]}
    return elements


def _element(vr: str, value: Any) -> DicomElement:
    return {"vr": vr, "Value": [value]} if value != "" else {"vr": vr}


def _reference(result: IngestResult) -> DicomJson:
    return {"00081150": _element("UI", result.sop_class), "00081155": _element("UI", result.sop_uid)}


def _failed(result: IngestResult) -> DicomJson:
    return {
        **_reference(result),
        "00081197": _element("US", _FAILURES.get(result.code, UNREADABLE)),
        "00741048": _comments(result.reason),
    }


def _stored(result: IngestResult) -> DicomJson:
    address = addresses.of_instance(result.study_uid, result.series_uid, result.sop_uid)
    elements = {**_reference(result), "00081190": _element("UR", address)}
    if _is_doubtful(result):
        elements["00081196"] = _element("US", NOT_AS_DECLARED)
        elements["00741048"] = _comments(*filter(None, [result.reason, *result.pixel_notes]))
    return elements


def _is_doubtful(result: IngestResult) -> bool:
    """Its pixels are not as its header says, or not all there."""
    return result.code in _FLAWS or bool(result.pixel_notes)


def _comments(*sentences: str) -> DicomElement:
    """In words, where dicom-server put them too: Error Comment in the Failed Attributes Sequence."""
    return {"vr": "SQ", "Value": [{"00000902": _element("LO", sentence)} for sentence in sentences]}
