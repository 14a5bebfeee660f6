"""Error pages: for a person a page, for a program the API's error shape."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

NOT_FOUND = "There is nothing here that you can open. It may not exist, or it may not be yours to see."
FORBIDDEN = "Your role does not open this page. Nothing was changed."
BROKEN = "Something failed on our side. What was saved before is kept. Try again; if it stays, tell your admin the time."


def _answer(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    if request.path.startswith(("/api/", "/dicom-web/")):
        return JsonResponse({"detail": detail, "code": code}, status=status)
    return render(request, f"{status}.html", {"detail": detail}, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, status=404, code="not_found", detail=NOT_FOUND)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, status=403, code="forbidden", detail=FORBIDDEN)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, status=500, code="server_error", detail=BROKEN)
