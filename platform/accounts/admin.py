"""Django's admin: people are managed in it, the audit trail is only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.authtoken.models import TokenProxy

from accounts import audit, sign_in_throttle
from accounts.models import AuditEntry, User
from accounts.roles import role_of

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[models.Model]
    PeopleAdmin = UserAdmin[User]
else:  # Django subscripts these classes for type checkers only
    ModelAdmin, PeopleAdmin = admin.ModelAdmin, UserAdmin


class ReadOnly(ModelAdmin):
    """Shows rows and leaves an audit entry for doing so; changes nothing."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        with transaction.atomic():
            response = super().changelist_view(request, extra_context)
            audit.record(request, "admin.listed", model=self.opts.label_lower)
            return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with transaction.atomic():
            response = super().change_view(request, object_id, form_url, extra_context)
            audit.record(request, "admin.viewed", model=self.opts.label_lower, object=object_id[:64])
            return response


@admin.register(User)
class People(PeopleAdmin):
    list_display = ("username", "first_name", "last_name", "role", "is_active", "last_login", "closed_until")
    actions = ("open_again",)
    list_filter = ("role", "is_active")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Fontanelle", {"fields": ("role",)}))
    add_fieldsets = (*UserAdmin.add_fieldsets, ("Fontanelle", {"fields": ("role",)}))

    @admin.display(description="closed until")
    def closed_until(self, user: User) -> str:
        """When a name that was tried too often opens again by itself."""
        until = sign_in_throttle.closed_until(user.username)
        return f"{timezone.localtime(until):%H:%M}" if until else ""

    @admin.action(description="Open for signing in again", permissions=["change"])
    def open_again(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        with transaction.atomic():
            for user in queryset:
                closed = sign_in_throttle.unlock(user.username)
                audit.record(request, "user.unlocked", account=user.username, was_closed=closed)
        self.message_user(request, "They can sign in again.")

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """People who leave are made inactive: what they read stays theirs."""
        return False


@admin.register(AuditEntry)
class AuditEntries(ReadOnly):
    list_display = ("at", "username", "action", "patient_id", "study_uid", "outcome")
    list_filter = ("action", "outcome")
    search_fields = ("username", "patient_id", "study_uid")


def _sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """The admin has no sign-in of its own: the one of the site counts wrong passwords."""
    if role_of(request.user) is not None:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", "/admin/"))


admin.site.login = _sign_in  # type: ignore[method-assign]  # as Django's documentation does
admin.site.site_header = "Fontanelle, research use only"
# A list of everybody's tokens would let whoever opens it act as them; manage.py token makes one.
admin.site.unregister(TokenProxy)
