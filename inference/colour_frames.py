"""Which frames a model looks at where some show colour Doppler: those are left out, and grey ones take their place.

Only frames that may be chosen are looked at. What was seen of a clip is kept with it, so that the same clips give the
same choice again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings

from inference.core.frame_selection import ClipFacts, select_frames
from studies import frame_cache
from studies.models import Clip

_MOST_ROUNDS = 12
_LEAST_LOOKS = 5
"""Frames, spread over a clip, that are looked at before frames which nobody looked at are put in doubt."""


def choose_frames(
    clips: Sequence[Clip], budget: int, *, between: Callable[[], None] = lambda: None
) -> dict[str, list[int]]:
    """The frames (from 1) of each clip that a model looks at, by SOP instance UID. ``between`` may raise to stop."""
    for _ in range(_MOST_ROUNDS):
        chosen = _choose(clips, budget)
        fresh = [(clip, _not_looked_at(clip, [*chosen.get(clip.sop_uid, []), *_spread(clip)])) for clip in clips]
        if not any(numbers for _, numbers in fresh):
            return chosen
        for clip, numbers in fresh:
            between()
            frame_cache.look_for_flow(clip, numbers)
        if settings.SCORE_COLOUR_DOPPLER:
            return chosen
    return _choose(clips, budget, surely=True)


def left_out(clips: Sequence[Clip]) -> dict[str, int]:
    """How many frames of each clip are known to show colour Doppler and are kept from the model."""
    if settings.SCORE_COLOUR_DOPPLER:
        return {}
    return {clip.sop_uid: len(clip.flow_frames) for clip in clips if clip.flow_frames}


def _choose(clips: Sequence[Clip], budget: int, *, surely: bool = False) -> dict[str, list[int]]:
    facts = [ClipFacts(clip.sop_uid, clip.frames, clip.frames == 1, _without(clip, surely=surely)) for clip in clips]
    chosen: dict[str, list[int]] = {}
    for uid, frame in select_frames(facts, budget):
        chosen.setdefault(uid, []).append(frame)
    return chosen


def _not_looked_at(clip: Clip, numbers: Sequence[int]) -> list[int]:
    fresh = sorted({*numbers} - {*clip.looked_frames})
    return fresh if clip.may_show_flow else []


def _spread(clip: Clip) -> list[int]:
    """Frames from end to end of a clip that shows flow somewhere."""
    if not clip.flow_frames or settings.SCORE_COLOUR_DOPPLER:
        return []
    return sorted({1 + at * (clip.frames - 1) // (_LEAST_LOOKS - 1) for at in range(_LEAST_LOOKS)})


def _without(clip: Clip, *, surely: bool) -> frozenset[int]:
    """Frames that show flow, and those that no look has reached and whose nearest neighbour shows it.

    ``surely``: all that no look has reached.
    """
    looked, flow = clip.looked_frames, clip.flow_frames
    if not flow or settings.SCORE_COLOUR_DOPPLER:
        return frozenset()
    others = [number for number in range(1, clip.frames + 1) if number not in looked]
    doubtful = others if surely else [number for number in others if _nearest(number, looked) in flow]
    return frozenset([*flow, *doubtful])


def _nearest(number: int, looked: Sequence[int]) -> int:
    return min(looked, key=lambda each: (abs(each - number), each))
