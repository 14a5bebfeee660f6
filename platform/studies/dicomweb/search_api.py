"""QIDO-RS: ``GET /dicom-web/studies?…``, ``series``, ``instances`` and what lies below one of them (PS3.18, 10.6)."""

from __future__ import annotations

import json

from django.db import transaction
from django.http import Http404, HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import READERS, allows, person
from common.contract import answers
from studies.api import AcceptHeaderIgnored
from studies.dicom.uids import is_uid
from studies.dicomweb import addresses
from studies.dicomweb.asked import Asked, asked
from studies.dicomweb.dicom_json import DICOM_JSON, JSON, DicomJson
from studies.dicomweb.keys import Level
from studies.dicomweb.negotiation import accepted
from studies.dicomweb.search import Found, search
from studies.ingest.stow_api import StowView


def searched(request: Request, level: Level, *, study: str = "", series: str = "") -> HttpResponse:
    """200 with a list, 204 where nothing matches; one audit entry that names the patients."""
    for uid in filter(None, (study, series)):
        _check_uid(uid)
    kind = accepted(request).best([DICOM_JSON, JSON])
    query = asked({name: request.query_params.getlist(name) for name in request.query_params})
    with transaction.atomic():
        page = search(request.user, level, query, study=study, series=series)
        _record(request, level, query, page, study)
    return _answer(page, query, kind)


def _check_uid(uid: str) -> None:
    if not is_uid(uid):
        raise Http404


def _record(request: Request, level: Level, query: Asked, page: Found, study: str) -> None:
    action = {
        Level.STUDY: "dicom_studies.searched",
        Level.SERIES: "dicom_series.searched",
        Level.INSTANCE: "dicom_instances.searched",
    }[level]
    audit.record_list(
        request._request,
        action,
        user=person(request),
        subjects=page.subjects,
        study_uid=study,
        keys=query.keys,
        found=len(page.items),
    )


def _answer(page: Found, query: Asked, kind: str) -> HttpResponse:
    if not page.items:
        return HttpResponse(status=204)
    body = json.dumps(page.items, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    response = HttpResponse(body, content_type=kind)
    if page.more:
        following = query.offset + len(page.items)
        response["Warning"] = f'299 {addresses.service()} "There are more results: ask with offset={following}."'
    return response


class StudiesView(StowView):
    """Below one address: a list of what matches, and the door for what comes in."""

    @answers(list[DicomJson], media_type=DICOM_JSON, also={204: None})
    def get(self, request: Request) -> HttpResponse:
        """Studies that match the query."""
        return searched(request, Level.STUDY)


class _SearchView(APIView):
    permission_classes = [allows(*READERS)]
    content_negotiation_class = AcceptHeaderIgnored


class SeriesView(_SearchView):
    @answers(list[DicomJson], media_type=DICOM_JSON, also={204: None})
    def get(self, request: Request, study: str = "") -> HttpResponse:
        """Series that match the query, of one study or of all."""
        return searched(request, Level.SERIES, study=study)


class InstancesView(_SearchView):
    @answers(list[DicomJson], media_type=DICOM_JSON, also={204: None})
    def get(self, request: Request, study: str = "", series: str = "") -> HttpResponse:
        """Instances that match the query, of one series, of one study or of all."""
        return searched(request, Level.INSTANCE, study=study, series=series)
