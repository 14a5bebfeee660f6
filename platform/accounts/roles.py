"""Who may do what. A role is one word on a person; the predicates that use it live beside what they guard."""

from __future__ import annotations

from typing import Any

from django.db.models import TextChoices


class Role(TextChoices):
    RADIOLOGIST = "radiologist", "Radiologist"
    ANNOTATOR = "annotator", "Annotator"
    ADJUDICATOR = "adjudicator", "Adjudicator"
    ADMIN = "admin", "Admin"


def role_of(user: Any) -> Role | None:
    """The role of a signed-in, active person; None for everybody else."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return None
    return Role(user.role)


def has_role(user: Any, *roles: Role) -> bool:
    """Closed by default: nobody without one of these roles passes."""
    return role_of(user) in roles
