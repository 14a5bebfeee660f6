"""Who hears which events. Closed by default: a role that is not named here hears only what is for everybody."""

from __future__ import annotations

from typing import Protocol

from django.db.models import Q

from live.models import Audience


class Person(Protocol):
    """Somebody signed in. This room does not import the one that defines people and their roles."""

    @property
    def pk(self) -> int: ...

    @property
    def role(self) -> str: ...


# Roles by their value.
_ROLES: dict[str, tuple[Audience, ...]] = {
    "radiologist": (Audience.READERS,),
    "admin": (Audience.READERS, Audience.ADMINS),
}


def heard_by(person: Person) -> Q:
    """The events that this person hears."""
    audiences = [Audience.EVERYONE, *_ROLES.get(person.role, ())]
    return Q(audience__in=audiences) | Q(audience=Audience.PERSON, person_id=person.pk)


def hears(person: Person, *, audience: str, person_id: int | None) -> bool:
    """The same rule for one event that is in memory."""
    if audience == Audience.PERSON:
        return person_id == person.pk
    return audience in (Audience.EVERYONE, *_ROLES.get(person.role, ()))
