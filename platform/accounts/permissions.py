"""Which roles pass a door. Closed by default: a door that names no role lets nobody through."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import User
from accounts.roles import Role, has_role, role_of

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
READERS = (Role.RADIOLOGIST, Role.ADMIN)
EVERY_ROLE = tuple(Role)


def person(request: HttpRequest | Request) -> User:
    """Who asks. Raises PermissionDenied for a stranger, whom a view behind a door never sees."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def page(*roles: Role) -> Callable[[View], View]:
    """Nobody signed in goes to the sign-in page and comes back; another role is refused with 403."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if role_of(request.user) is None:
                return redirect_to_login(request.get_full_path())
            if not has_role(request.user, *roles):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]  # wraps keeps the signature

    return guard


def allows(*roles: Role) -> type[BasePermission]:
    """The same for an API view: ``permission_classes = [allows(Role.ADMIN)]``."""

    class Allowed(BasePermission):
        allowed = roles
        message = "Your role does not allow this. Nothing was changed."

        def has_permission(self, request: Request, view: Any) -> bool:
            return has_role(request.user, *roles)

    return Allowed
