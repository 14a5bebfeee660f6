"""Frames with colour Doppler are kept from the model, and grey ones take their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from pytest_django import Settings

from inference.colour_frames import choose_frames
from inference.models import ModelVersion, Score
from studies import frame_cache
from studies.models import Clip, Study
from tests.inference.factories import BUDGET, add_clip, close, study, work

pytestmark = pytest.mark.django_db
Shows = Callable[..., list[int]]


@pytest.fixture
def shows(monkeypatch: pytest.MonkeyPatch) -> Shows:
    """Make frames of clips show flow; answers with the list of frames that are looked at from then on."""

    def arrange(**flow: range) -> list[int]:
        looked: list[int] = []

        def look(clip: Clip, numbers: Sequence[int]) -> None:
            looked.extend(numbers)
            shown = [number for number in numbers if number in flow[clip.label]]
            clip.flow = {
                "looked": sorted([*clip.looked_frames, *numbers]),
                "shown": sorted([*clip.flow_frames, *shown]),
            }
            clip.save()

        monkeypatch.setattr(frame_cache, "look_for_flow", look)
        return looked

    return arrange


def _study(**clips: int) -> Study:
    """With a colour clip of so many frames by each name."""
    made = study(clips=())
    for label, frames in clips.items():
        add_clip(made, frames=frames, samples=3, label=label)
    return made


def _chosen(made: Study, budget: int = 6) -> dict[str, list[int]]:
    clips = list(made.clips.order_by("pk"))
    names = {clip.sop_uid: clip.label for clip in clips}
    return {names[uid]: numbers for uid, numbers in choose_frames(clips, budget).items()}


def test_grey_frames_take_the_place_of_flow(shows: Shows) -> None:
    shows(a=range(1, 21))
    chosen = _chosen(_study(a=40))["a"]
    assert len(chosen) == 6
    assert min(chosen) > 20


def test_a_clip_of_flow_alone_leaves_its_share_to_the_others(shows: Shows) -> None:
    shows(a=range(1, 41), b=range(0))
    assert {name: len(numbers) for name, numbers in _chosen(_study(a=40, b=40)).items()} == {"b": 6}


def test_one_look_at_flow_does_not_condemn_the_clip(shows: Shows) -> None:
    shows(a=range(50, 52))
    assert _chosen(_study(a=101), 1)["a"][0] not in (50, 51)


def test_only_frames_that_may_be_chosen_are_looked_at(shows: Shows) -> None:
    looked = shows(a=range(0))
    assert _chosen(_study(a=1000))["a"] == looked


def test_the_same_clips_give_the_same_choice_again(shows: Shows) -> None:
    looked = shows(a=range(10, 35))
    made = _study(a=60)
    first, count = _chosen(made), len(looked)
    assert (_chosen(made), len(looked)) == (first, count)


def test_a_grey_clip_is_not_looked_at(shows: Shows) -> None:
    looked = shows()
    made = study(clips=())
    add_clip(made, frames=10, samples=1)
    assert (len(choose_frames(list(made.clips.all()), 6)), looked) == (1, [])


def test_a_study_of_flow_alone_is_not_analysed(model: ModelVersion, shows: Shows) -> None:
    shows(a=range(1, 11))
    made = _study(a=10)
    revision = close(made)
    work()
    score, looked = Score.objects.get(revision=revision), len(made.clips.get().looked_frames)
    assert (score.flag, score.flag_reason) == (
        "not_analysed",
        f"All its {looked} frames that were looked at show colour Doppler, which the model has not learned.",
    )


def test_too_few_grey_frames_say_what_was_left_out(model: ModelVersion, shows: Shows) -> None:
    shows(a=range(3, 11))
    revision = close(_study(a=10))
    work()
    reason = Score.objects.get(revision=revision).flag_reason
    assert reason.startswith("Only ")
    assert reason.endswith("with colour Doppler are left out.")


def test_a_score_says_how_many_frames_it_left_out(model: ModelVersion, shows: Shows) -> None:
    shows(a=range(1, 21))
    made = _study(a=40)
    revision = close(made)
    work()
    clip = made.clips.get()
    left_out = Score.objects.get(revision=revision).inputs["flow_left_out"]
    assert left_out == {clip.sop_uid: len(clip.flow_frames)}


def test_by_setting_flow_is_scored_and_still_marked(model: ModelVersion, shows: Shows, settings: Settings) -> None:
    settings.SCORE_COLOUR_DOPPLER = True
    shows(a=range(1, 41))
    made = _study(a=40)
    revision = close(made)
    work()
    score = Score.objects.get(revision=revision)
    assert (score.flag in ("suspected", "not_suspected"), score.inputs["flow_left_out"]) == (True, {})
    assert len(made.clips.get().flow_frames) == BUDGET
