"""Django's admin: people are managed in it, the audit trail is only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
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


MOST = 200
"""Characters of a value that an entry keeps."""


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


class Audited(ModelAdmin):
    """What is changed here stands in the audit trail: by whom, which fields, from what to what, never a password."""

    noun = ""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        before = {name: form.initial.get(name) for name in form.changed_data}
        request.__dict__["audit_changes"] = {
            name: [str(before[name])[:MOST], str(form.cleaned_data.get(name))[:MOST]]
            for name in form.changed_data
            if "password" not in name
        }
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record_that(request, "made", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record_that(
            request, "password_changed" if "password" in str(message).lower() else "changed", obj, message
        )
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record_that(request, "deleted", obj, "")
        return super().log_deletions(request, queryset)

    def _record_that(self, request: HttpRequest, verb: str, obj: Any, message: Any) -> None:
        changes = request.__dict__.pop("audit_changes", {})
        audit.record(request, f"{self.noun}.{verb}", object=obj.pk, name=str(obj)[:MOST], changed=changes)


@admin.register(User)
class People(Audited, PeopleAdmin):
    noun = "person"
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
    list_display = ("at", "username", "address", "action", "patient_id", "study_uid", "outcome")
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
# What a person may do follows from their role; groups would be a second way that nothing looks at.
admin.site.unregister(Group)
