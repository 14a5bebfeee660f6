"""A reader of the reading room, two annotators, and a study."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.roles import Role
from studies.models import Study
from tests.accounts.people import person
from tests.annotations import factories


@pytest.fixture
def reader() -> User:
    return person(Role.RADIOLOGIST)


@pytest.fixture
def annotator() -> User:
    return person(Role.ANNOTATOR)


@pytest.fixture
def adjudicator() -> User:
    return person(Role.ADJUDICATOR)


@pytest.fixture
def study() -> Study:
    return factories.study()
