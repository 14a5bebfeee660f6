"""Which clips are usable: the same rule in the database and in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from studies.models import Clip

Stored = Callable[..., Clip]


@pytest.fixture
def clips(stored: Stored) -> list[Clip]:
    """Scorable or not, with frames and without."""
    for scorable, frames in [(True, 2), (True, 0), (False, 2), (False, 0)]:
        clip = stored(StudyInstanceUID="1.7")
        Clip.objects.filter(pk=clip.pk).update(scorable=scorable, frames=frames)
    return list(Clip.objects.all())


def test_a_clip_with_frames_is_the_same_in_memory(clips: list[Clip]) -> None:
    assert set(Clip.objects.with_frames()) == {clip for clip in clips if clip.has_frames}
    assert Clip.objects.with_frames().count() == 2


def test_a_scorable_clip_is_the_same_in_memory(clips: list[Clip]) -> None:
    assert set(Clip.objects.scorable()) == {clip for clip in clips if clip.can_be_scored}
    assert Clip.objects.scorable().count() == 1
