"""A person's own keys: kept with the person, so that they are the same on every machine."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, TypedDict

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import Role
from common.contract import answers

MOST_KEYS = 300
MOST_CHARACTERS = 64


class Keymap(TypedDict):
    """The keys that a person has changed."""

    keys: Annotated[dict[str, str], 'what a key does, as "Viewer/g", to the key that does it now']


def _refusal(reason: str) -> exceptions.ValidationError:
    return exceptions.ValidationError({"keys": [reason]})


def checked_keys(keys: Any) -> dict[str, str]:
    """The map, if it is one. Raises ValidationError, also where two things of one group would have the same key."""
    if not isinstance(keys, dict) or len(keys) > MOST_KEYS:
        raise _refusal(f"Keys are at most {MOST_KEYS} pairs of what a key does and the key.")
    for name, key in keys.items():
        if not isinstance(key, str) or not 0 < len(key) <= MOST_CHARACTERS or len(name) > MOST_CHARACTERS:
            raise _refusal(f"{name[:MOST_CHARACTERS]!r} has no key that a keyboard could send.")
    used = Counter((name.partition("/")[0], key) for name, key in keys.items())
    twice = [f"{key} in {group}" for (group, key), times in used.items() if times > 1]
    if twice:
        raise _refusal(f"One key cannot do two things: {', '.join(twice)}. Nothing was changed.")
    return keys


def _own(request: Request) -> QuerySet[User]:
    return User.objects.filter(pk=permissions.person(request).pk)


class KeymapView(APIView):
    permission_classes = [permissions.allows(*Role)]

    @answers(Keymap)
    def get(self, request: Request) -> Response:
        """The keys that this person has changed."""
        answer: Keymap = {"keys": _own(request).values_list("keymap", flat=True).get()}
        return Response(answer)

    @answers(Keymap, asks=Keymap)
    @transaction.atomic
    def put(self, request: Request) -> Response:
        """Keep them, all at once; an empty map brings the defaults back."""
        keys = checked_keys(request.data.get("keys") if isinstance(request.data, dict) else None)
        _own(request).update(keymap=keys)
        audit.record(request._request, "keys.changed", user=request.user, changed=len(keys))
        answer: Keymap = {"keys": keys}
        return Response(answer)
