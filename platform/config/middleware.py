"""What holds for every response: only hosts of ours are answered, nothing is cached, a lost database is 503."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string

from accounts import audit
from config.error_pages import is_program, unknown_host

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def through_trusted_proxies(get_response: GetResponse) -> GetResponse:
    """Behind a proxy that the site trusts, ``REMOTE_ADDR`` is who asked it; nobody else's headers are believed."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if _is_trusted(request.META.get("REMOTE_ADDR", "")):
            request.META["REMOTE_ADDR"] = _behind(request)
        elif settings.TRUSTED_PROXIES:
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return get_response(request)

    return middleware


def _behind(request: HttpRequest) -> str:
    """The last address that the chain of proxies names and that is no trusted proxy: what stands before it, anybody
    may have written."""
    client: str = request.META["REMOTE_ADDR"]
    for named in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        try:
            client = str(ip_address(named.strip()))
        except ValueError:
            break
        if not _is_trusted(client):
            break
    return client


def _is_trusted(address: str) -> bool:
    try:
        asked = ip_address(address)
    except ValueError:
        return False
    return any(asked in network for network in settings.TRUSTED_PROXIES)


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


def refusals_are_written_down(get_response: GetResponse) -> GetResponse:
    """What a person who is signed in was refused stands in the audit trail, whatever became of the transaction."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code == HTTPStatus.FORBIDDEN and request.user.is_authenticated:
            audit.refused(request, tried="role")
        try:
            audit.write_refusals(request)
        except DatabaseError:
            logger.exception("a refusal could not be written down")
        return response

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
