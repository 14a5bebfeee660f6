"""What every page's template receives."""

from __future__ import annotations

from typing import Annotated, TypedDict

from django.http import HttpRequest

from accounts import permissions
from accounts.roles import Role, role_of
from studies.models import QuarantinedFile, QuarantineState
from studies.patients import doubts

IDENTITIES = "/identity/"
MOST_COUNTED = 99
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
    ("Identity", IDENTITIES, {Role.ADMIN}),
    ("Audit", "/audit/", {Role.ADMIN}),
]


def _current(path: str, url: str) -> bool:
    if url == "/":
        return path == "/" or path.startswith("/studies/")
    return path.startswith(url)


def _waiting(url: str) -> str:
    """Files and questions of identity that wait for an admin; "99+" for more than are worth counting."""
    if url == QUARANTINE:
        count = QuarantinedFile.objects.filter(state=QuarantineState.OPEN)[: MOST_COUNTED + 1].count()
    elif url == IDENTITIES:
        count = doubts.count_open(MOST_COUNTED + 1)
    else:
        return ""
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


class NavigationItem(TypedDict):
    """One entry of the navigation."""

    label: str
    url: str
    current: bool
    waiting: Annotated[str, "how much there waits for this person; empty where nothing does"]


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
