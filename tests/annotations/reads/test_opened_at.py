"""What a reader had open decides what they answered for."""

from __future__ import annotations

import pytest

from accounts.models import User
from annotations.models import Read
from studies.models import Study, StudyStatus
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db


def test_images_that_come_after_the_study_was_fetched_were_not_seen(reader: User, study: Study) -> None:
    """As when the next study opens in the same page, and nothing is typed before late images arrive."""
    desk = Desk(reader, study)
    desk.reads()
    factories.clip(study)
    desk.commit()
    study.refresh_from_db()
    assert study.status == StudyStatus.WAITING


def test_a_study_that_was_only_fetched_has_no_draft(reader: User, study: Study) -> None:
    desk = Desk(reader, study)
    desk.reads()
    assert desk.reads()["mine"] is None
    assert Read.objects.count() == 1
