"""What a commit asks of the database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from accounts.models import User
from annotations.reads.lifecycle import Place
from studies.models import Study
from tests.annotations import factories
from tests.annotations.measurements.test_drawings import drawing

pytestmark = pytest.mark.django_db


def test_a_commit_asks_once_for_the_clips_that_an_answer_refers_to(
    study: Study, reader: User, django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    place = Place(study, reader)
    place.open()
    on = {"sop_uid": study.clips.get().sop_uid, "frame": 1}
    with django_assert_max_num_queries(26) as asked:
        factories.commit_at(place, {"right": 1, "left": 0, "drawings": [drawing(**on)], "keyframes": [on]})
    of_clips = [query["sql"] for query in asked.captured_queries if 'FROM "studies_clip"' in query["sql"]]
    assert ["regions" in sql for sql in of_clips] == [True, False], "the second is for late images that nobody saw"
