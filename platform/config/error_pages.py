"""Error pages: for a person a page, for a program the API's error shape."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

NOT_FOUND = "There is nothing here that you can open. It may not exist, or it may not be yours to see."
FORBIDDEN = "Your role does not open this page. Nothing was changed."
BROKEN = (
    "Something failed on our side. What was saved before is kept. Try again; if it stays, tell your admin the time."
)
UNKNOWN_HOST = "This site does not answer to that name. Use the address that your admin gave you."
UNREADABLE = "The server could not read what the browser sent. Nothing was changed."
FORGED = (
    "This page's token against forgery is missing or too old, as after a new sign-in in another tab or with cookies "
    "turned off. Nothing of this request was done."
)


def is_program(request: HttpRequest) -> bool:
    """Whether whoever asks reads JSON and not pages."""
    return request.path.startswith(("/api/", "/dicom-web/"))


def _answer(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    if is_program(request):
        return JsonResponse({"detail": detail, "code": code}, status=status)
    return render(request, f"{status}.html", {"detail": detail}, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, status=404, code="not_found", detail=NOT_FOUND)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, status=403, code="forbidden", detail=FORBIDDEN)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """In place of the framework's page: what was kept, and what to do."""
    if is_program(request):
        return JsonResponse({"detail": FORGED, "code": "forged"}, status=403)
    return render(request, "forged.html", {"detail": FORGED}, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _plain(request, detail=UNREADABLE, code="bad_request")


def unknown_host(request: HttpRequest) -> HttpResponse:
    return _plain(request, detail=UNKNOWN_HOST, code="unknown_host")


def _plain(request: HttpRequest, *, detail: str, code: str) -> HttpResponse:
    """The page is made without the request, whose host or cookies may be what is wrong."""
    if is_program(request):
        return JsonResponse({"detail": detail, "code": code}, status=400)
    return HttpResponse(render_to_string("400.html", {"detail": detail}), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page is made without the request: whatever broke may break in its context, too."""
    if is_program(request):
        return JsonResponse({"detail": BROKEN, "code": "server_error"}, status=500)
    return HttpResponse(render_to_string("500.html", {"detail": BROKEN}), status=500)
