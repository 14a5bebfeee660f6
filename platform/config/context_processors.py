"""What every page's template receives."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.roles import Role, role_of

RESEARCH_NOTICE = "Research use only"

NAVIGATION: list[tuple[str, str, set[Role]]] = [
    ("Worklist", "/", {Role.RADIOLOGIST, Role.ADMIN}),
    ("Label", "/label/", {Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR}),
    ("Queues", "/label/queues/", {Role.ADMIN}),
    ("Adjudicate", "/adjudicate/", {Role.ADJUDICATOR, Role.ADMIN}),
    ("Agreement", "/agreement/", {Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR, Role.ADMIN}),
    ("Upload", "/upload/", {Role.RADIOLOGIST, Role.ADMIN}),
    ("Labels", "/labels/", {Role.ADMIN}),
    ("Schema", "/schema/", {Role.ADMIN}),
    ("Training", "/training/", {Role.ADMIN}),
    ("Metrics", "/metrics/", {Role.ADMIN, Role.RADIOLOGIST}),
    ("Audit", "/audit/", {Role.ADMIN}),
]


def _current(path: str, url: str) -> bool:
    if url == "/":
        return path == "/" or path.startswith("/studies/")
    return path.startswith(url)


def page(request: HttpRequest) -> dict[str, Any]:
    """``nav``, ``person``, ``keymap`` and ``research_notice``; nobody signed in has no navigation."""
    role = role_of(request.user)
    if role is None:
        return {"nav": [], "person": None, "keymap": {}, "research_notice": RESEARCH_NOTICE}
    nav = [
        {"label": label, "url": url, "current": _current(request.path, url)}
        for label, url, roles in NAVIGATION
        if role in roles
    ]
    user: Any = request.user
    person = {"username": user.username, "display": user.display, "role": role.value, "role_label": role.label}
    return {"nav": nav, "person": person, "keymap": user.keymap, "research_notice": RESEARCH_NOTICE}
