"""Signing in and out, and the audit page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import audit, audit_search, demo_accounts, permissions, sign_in_throttle
from accounts.models import User
from accounts.roles import Role, role_of
from accounts.sign_in_throttle import Refusal

CLOSED = (
    "Too many wrong passwords for this name: it is closed until {until}, a quarter of an hour after the first of them. "
    "An admin can open it at once, or set a new password."
)
SLOWED = "Too many wrong passwords came from your network. Wait a few seconds, then try again."


def home_of(user: User | AnonymousUser) -> str:
    """Where a person's work begins."""
    return "/label/" if role_of(user) in (Role.ANNOTATOR, Role.ADJUDICATOR) else "/"


class SignInForm(AuthenticationForm):
    """Once too many were wrong, the password is not even looked at; the name need not be anybody's."""

    def clean(self) -> dict[str, Any]:
        username, address = self.cleaned_data.get("username", ""), self._address()
        if not username or not self.cleaned_data.get("password"):
            return super().clean()
        refusal = sign_in_throttle.take_turn(username, address)
        if refusal is not None:
            raise ValidationError(_sentence(refusal), code="throttled")
        cleaned = super().clean()
        sign_in_throttle.give_back(username, address)
        return cleaned

    def _address(self) -> str | None:
        return self.request.META.get("REMOTE_ADDR") if self.request else None


def _sentence(refusal: Refusal) -> str:
    if refusal.until is None:
        return SLOWED
    return CLOSED.format(until=f"{timezone.localtime(refusal.until):%H:%M}")


class SignIn(auth_views.LoginView):
    """Right or wrong, each try leaves an audit entry."""

    template_name = "login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        return home_of(self.request.user)

    def get_redirect_url(self, *request: Any) -> str:
        """The page that was asked for; the front door leads everybody to their own work."""
        url = super().get_redirect_url(*request)
        return "" if url == "/" else url

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """A demo names its accounts, never their password."""
        return {**super().get_context_data(**kwargs), "demo_accounts": demo_accounts.offered()}

    @transaction.atomic
    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        audit.record(self.request, "user.signed_in", user=form.get_user())
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        throttled = form.has_error("__all__", "throttled")
        account = sign_in_throttle.account_label(form.data.get("username", ""))
        audit.record(self.request, "user.signed_in", outcome="throttled" if throttled else "refused", account=account)
        response = super().form_invalid(form)
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS if throttled else HTTPStatus.OK
        return response


class SignOut(auth_views.LogoutView):
    next_page = "/accounts/login/"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            if request.user.is_authenticated:
                audit.record(request, "user.signed_out")
            return super().post(request, *args, **kwargs)


@permissions.page(Role.ADMIN)
@transaction.atomic
def audit_page(request: HttpRequest) -> HttpResponse:
    """The trail, newest first. Looking at it leaves an entry too."""
    page = audit_search.search(request)
    audit.record(request, "audit.viewed", filters=page.filters)
    context = {
        # A template would take a detail that is called "items" for the method of that name.
        "entries": [{**entry, "said": list(entry["detail"].items())} for entry in page.entries],
        "filters": page.filters,
        "actions": audit_search.actions(),
        "next_url": page.next_url,
        "newest_url": page.newest_url,
        "export_url": f"/audit/export/?{urlencode(page.filters)}",
        "page": {"page": "audit"},
    }
    return render(request, "audit.html", context)


@permissions.page(Role.ADMIN)
def audit_export(request: HttpRequest) -> StreamingHttpResponse:
    """The entries that pass the page's filters as CSV, however many there are. Taking them out leaves an entry too."""
    filters = audit_search.filters_of(request.GET)
    audit.record(request, "audit.exported", filters=filters)
    response = StreamingHttpResponse(audit_search.csv_lines(filters), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response
