"""Who hears which events. Closed by default: a role that is not named here hears only what is for everybody."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from live.models import Audience

# Roles by their value: this room does not import the one that defines them.
_ROLES: dict[str, tuple[Audience, ...]] = {
    "radiologist": (Audience.READERS,),
    "admin": (Audience.READERS, Audience.ADMINS),
}


def heard_by(user: Any) -> Q:
    """The events for this signed-in person."""
    audiences = [Audience.EVERYONE, *_ROLES.get(user.role, ())]
    return Q(audience__in=audiences) | Q(audience=Audience.PERSON, person_id=user.pk)


def hears(user: Any, *, audience: str, person_id: int | None) -> bool:
    """The same rule for one event that is in memory."""
    if audience == Audience.PERSON:
        return bool(person_id == user.pk)
    return audience in (Audience.EVERYONE, *_ROLES.get(user.role, ()))
