"""Pages of this room: sending studies in, and one infant."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.permissions import READERS, page
from accounts.roles import Role
from common.contract import published
from studies import access


@published
class UploadPage(TypedDict):
    """What the upload page knows from the start: the limits on one request."""

    page: Literal["upload"]
    max_bytes: int
    max_files: int


@published
class PatientPage(TypedDict):
    """What an infant's page knows from the start: no facts, it asks the API for them."""

    page: Literal["patient"]
    patient: Annotated[int, "the platform's own number"]


@published
class QuarantinePageData(TypedDict):
    """What the quarantine's page knows from the start: no files, it asks the API for them."""

    page: Literal["quarantine"]


@page(Role.ADMIN)
def quarantine(request: HttpRequest) -> HttpResponse:
    return render(request, "quarantine.html", {"page": QuarantinePageData(page="quarantine")})


@published
class SuggestionsPage(TypedDict):
    """What the page of open questions knows from the start: no facts, it asks the API for them."""

    page: Literal["suggestions"]


@page(Role.ADMIN)
def suggestions(request: HttpRequest) -> HttpResponse:
    data: SuggestionsPage = {"page": "suggestions"}
    return render(request, "suggestions.html", {"page": data})


@page(*READERS)
def upload(request: HttpRequest) -> HttpResponse:
    data: UploadPage = {
        "page": "upload",
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "max_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    }
    return render(request, "upload.html", {"page": data})


@page(*READERS)
@transaction.atomic
def patient(request: HttpRequest, pk: int) -> HttpResponse:
    infant = access.open_patient(request, pk, "patient.page_viewed")
    data: PatientPage = {"page": "patient", "patient": infant.pk}
    return render(request, "patient.html", {"page": data})
