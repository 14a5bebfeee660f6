"""People of each role, for every test that asks for them."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from operator import attrgetter
from typing import Any

# Before torch is imported: threads of two test processes that wait for each other on two cores cost half of the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from django.db import connection
from django.test import Client
from hypothesis import settings
from pytest_django import DjangoDbBlocker

from accounts.models import User
from accounts.roles import Role

# A loaded machine is no failure; what must be quick is measured by the benchmarks.
settings.register_profile("fontanelle", deadline=None)
settings.load_profile("fontanelle")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first: one that begins last is waited for by an idle process."""
    items.sort(key=_expected_seconds, reverse=True)


def _expected_seconds(item: pytest.Item) -> tuple[float, bool]:
    """What a test is allowed to take, and whether it starts a whole site; files alike stay in order."""
    limit = item.get_closest_marker("timeout")
    whole_site = any(item.get_closest_marker(name) for name in ("browser", "services", "faults"))
    return (float(limit.args[0]) if limit else 0.0, whole_site)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How the cells of the pixel corpus came out (tests/studies/dicom/corpus)."""
    counts: Counter[str] = Counter()
    for report in (each for kind in terminalreporter.stats.values() for each in kind):
        if isinstance(report, pytest.TestReport) and report.when == "call":
            properties: dict[str, Any] = dict(report.user_properties)
            counts.update(properties.get("cells", {}))
    if counts:
        shown = ("right", "right"), ("said", "right with a warning"), ("kept", "not shown, with the reason")
        parts = [f"{counts[key]} {words}" for key, words in shown]
        wrong = counts["wrong"] + counts["doubted"]
        terminalreporter.write_line(f"pixel corpus: {counts.total()} cells, {', '.join(parts)}, {wrong} wrong")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What draws from a shared generator draws the same alone, after other tests and in any order."""
    random.seed(0)
    for name, seed in (("numpy", "random.seed"), ("torch", "manual_seed")):
        if name in sys.modules:
            attrgetter(seed)(sys.modules[name])(0)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, which is emptied between tests that commit."""
    with django_db_blocker.unblock():
        let_the_trail_be_emptied()


def let_the_trail_be_emptied() -> None:
    """Take away the triggers of SQLite by which a site's audit trail refuses it."""
    with connection.cursor() as cursor:
        for table in ("auditentry", "auditsubject", "auditlink", "audithead"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_never_deleted")


def _person(name: str, role: Role) -> User:
    admin = role is Role.ADMIN
    return User.objects.create_user(name, password="correct horse", role=role, is_staff=admin, is_superuser=admin)


@pytest.fixture
def radiologist(db: None) -> User:
    return _person("radiologist", Role.RADIOLOGIST)


@pytest.fixture
def annotator(db: None) -> User:
    return _person("annotator", Role.ANNOTATOR)


@pytest.fixture
def adjudicator(db: None) -> User:
    return _person("adjudicator", Role.ADJUDICATOR)


@pytest.fixture
def admin(db: None) -> User:
    return _person("admin", Role.ADMIN)


@pytest.fixture
def reader(radiologist: User) -> Client:
    """A browser in which the radiologist is signed in."""
    client = Client()
    client.force_login(radiologist)
    return client
