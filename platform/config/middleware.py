"""What holds for every response: only hosts of ours are answered, nothing is cached, a lost database is 503."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string

from config.error_pages import is_program, unknown_host

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def only_our_hosts(get_response: GetResponse) -> GetResponse:
    """A request for a host that is not ours is refused before anything looks at it, in a line of the log."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost:
            logger.warning("refused: the host %.100r is not in ALLOWED_HOSTS", request.META.get("HTTP_HOST", ""))
            return unknown_host(request)
        return get_response(request)

    return middleware


def patient_data_is_never_cached(get_response: GetResponse) -> GetResponse:
    """Whatever a signed-in person receives stays out of the browser's disk cache (ASVS 14.3.2)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def _wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not is_program(request)


class _Unavailable:
    """Turns a lost or locked database into 503 with Retry-After, wherever in the view the error was raised."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OperationalError | InterfaceError) or "no such" in str(error):
            # SQLite calls a missing table or column operational; waiting does not bring it: a migration is missing.
            return None
        detail = "The database does not answer. Nothing of this request was kept. Try again in a few seconds."
        response: HttpResponse
        if _wants_page(request):
            # Without the request: who is signed in stands in the database, too.
            response = HttpResponse(render_to_string("503.html", {"detail": detail}), status=503)
        else:
            response = JsonResponse({"detail": detail, "code": "unavailable"}, status=503)
        response.headers["Retry-After"] = "5"
        return response


database_trouble_is_503 = _Unavailable
