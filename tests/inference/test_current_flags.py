"""The quick way to the answers that count says the same as the full one."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from inference import current_scores
from inference.current_flags import current_flags
from inference.models import Flag, ModelState, ModelVersion, Score
from studies.models import Study
from tests.annotations import factories

pytestmark = pytest.mark.django_db


def _history(study: Study, models: list[ModelVersion | None], random: Random) -> None:
    """Any number of revisions, each answered by some of the models, in any order of time."""
    for number in range(random.randint(0, 3)):
        revision = study.revisions.get() if number == 0 else factories.revision(study)
        for model in random.sample(models, random.randint(0, len(models))):
            flag = Flag.NOT_ANALYSED if model is None else random.choice(list(Flag))
            probability = None if flag == Flag.NOT_ANALYSED else random.random()
            at = timezone.now() - timedelta(minutes=random.random())
            Score.objects.create(revision=revision, model=model, flag=flag, probability=probability, created_at=at)


@pytest.mark.parametrize("state", [ModelState.CHAMPION, ModelState.RETIRED])
def test_both_ways_choose_the_same_answer(state: ModelState) -> None:
    random = Random(7)
    facts = {"manifest": {}, "trained_on_phantoms": False}
    first = ModelVersion.objects.create(name="a 1", digest="a" * 64, state=state, **facts)
    second = ModelVersion.objects.create(name="b 1", digest="b" * 64, **facts)
    for _ in range(40):
        _history(factories.study(clips=0), [first, second, None], random)
    full = {key: (score.revision, score.flag, score.probability) for key, score in _full().items()}
    quick = {key: answer[1:2] + answer[3:] for key, answer in current_flags(Study.objects.all()).items()}
    assert quick == full
    assert len(full) > 20


def _full() -> dict[int, current_scores.CurrentScore]:
    return current_scores.current_scores(Study.objects.all())
