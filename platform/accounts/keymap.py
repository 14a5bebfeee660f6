"""A person's own keys: kept with the person, so that they are the same on every machine."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import Role

JSON = OpenApiTypes.OBJECT
MOST_KEYS = 300
MOST_CHARACTERS = 64


def checked(said: Any) -> dict[str, str]:
    """The map, if it is one. Raises ValidationError, also where two things of one group would have the same key."""
    if not isinstance(said, dict) or len(said) > MOST_KEYS:
        raise exceptions.ValidationError(f"Keys are at most {MOST_KEYS} pairs of what a key does and the key.")
    for name, key in said.items():
        if not isinstance(key, str) or not 0 < len(key) <= MOST_CHARACTERS or len(name) > MOST_CHARACTERS:
            raise exceptions.ValidationError(f"{name[:MOST_CHARACTERS]!r} has no key that a keyboard could send.")
    used = Counter((name.partition("/")[0], key) for name, key in said.items())
    twice = [f"{key} in {group}" for (group, key), times in used.items() if times > 1]
    if twice:
        raise exceptions.ValidationError(f"One key cannot do two things: {', '.join(twice)}. Nothing was changed.")
    return said


def _own(request: Request) -> QuerySet[User]:
    user: Any = request.user
    return User.objects.filter(pk=user.pk)


class KeymapView(APIView):
    permission_classes = [permissions.allows(*Role)]

    @extend_schema(responses=JSON)
    def get(self, request: Request) -> Response:
        """The keys that this person has changed."""
        return Response({"keys": _own(request).values_list("keymap", flat=True).get()})

    @extend_schema(request=JSON, responses=JSON)
    @transaction.atomic
    def put(self, request: Request) -> Response:
        """Keep them, all at once; an empty map brings the defaults back."""
        keys = checked(request.data.get("keys") if isinstance(request.data, dict) else None)
        _own(request).update(keymap=keys)
        audit.record(request._request, "keys.changed", user=request.user, changed=len(keys))
        return Response({"keys": keys})
