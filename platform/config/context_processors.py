"""What every page's template receives."""

from __future__ import annotations

from typing import Annotated, TypedDict

from django.http import HttpRequest

from accounts import permissions
from accounts.roles import Role, role_of
from studies.models import QuarantinedFile, QuarantineState

RESEARCH_NOTICE = "Research use only"
QUARANTINE = "/quarantine/"

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
    ("Quarantine", QUARANTINE, {Role.ADMIN}),
    ("Audit", "/audit/", {Role.ADMIN}),
]


def _current(path: str, url: str) -> bool:
    if url == "/":
        return path == "/" or path.startswith("/studies/")
    return path.startswith(url)


def _waiting(url: str) -> int:
    """Files that an admin has not settled; of nothing else is there a count."""
    return QuarantinedFile.objects.filter(state=QuarantineState.OPEN).count() if url == QUARANTINE else 0


class NavigationItem(TypedDict):
    """One entry of the navigation."""

    label: str
    url: str
    current: bool
    waiting: Annotated[int, "how many things there wait for this person"]


class SignedIn(TypedDict):
    """The person whose page it is."""

    username: str
    display: str
    role: str
    role_label: str


class PageContext(TypedDict):
    """What ``base.html`` needs."""

    nav: list[NavigationItem]
    person: SignedIn | None
    keymap: dict[str, str]
    research_notice: str


def page(request: HttpRequest) -> PageContext:
    """The context of a page; nobody signed in has no navigation."""
    role = role_of(request.user)
    if role is None:
        return {"nav": [], "person": None, "keymap": {}, "research_notice": RESEARCH_NOTICE}
    nav: list[NavigationItem] = [
        {"label": label, "url": url, "current": _current(request.path, url), "waiting": _waiting(url)}
        for label, url, roles in NAVIGATION
        if role in roles
    ]
    user = permissions.person(request)
    person: SignedIn = {
        "username": user.username,
        "display": user.display,
        "role": role.value,
        "role_label": role.label,
    }
    return {"nav": nav, "person": person, "keymap": user.keymap, "research_notice": RESEARCH_NOTICE}
