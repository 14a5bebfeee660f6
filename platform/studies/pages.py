"""Pages of this room: sending studies in, and one infant."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.permissions import READERS, page
from studies import access


@page(*READERS)
def upload(request: HttpRequest) -> HttpResponse:
    limits = {"max_bytes": settings.UPLOAD_MAX_BYTES, "max_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES}
    return render(request, "upload.html", {"page": {"page": "upload", **limits}})


@page(*READERS)
@transaction.atomic
def patient(request: HttpRequest, pk: int) -> HttpResponse:
    """The page holds no facts of the patient; it asks the API for them."""
    found = access.open_patient(request, pk, "patient.page_viewed")
    return render(request, "patient.html", {"page": {"page": "patient", "patient": found.pk}})
