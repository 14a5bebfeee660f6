"""Which frames of a study the model looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FRAME_BUDGET = 48


@dataclass(frozen=True)
class ClipFacts:
    """What selection needs to know of a clip: `key` names it, `frames` counts it, `left_out` are never chosen. A
    `still` is a view that the examiner chose."""

    key: str
    frames: int
    still: bool
    left_out: frozenset[int] = frozenset()

    @property
    def usable(self) -> list[int]:
        """Frames that may be chosen, counted from 1."""
        return [number for number in range(1, self.frames + 1) if number not in self.left_out]


def select_frames(clips: Sequence[ClipFacts], budget: int = FRAME_BUDGET) -> list[tuple[str, int]]:
    """Choose at most `budget` frames as (key, frame counted from 1): all stills, then evenly spread over each clip.

    What the stills leave is shared equally between the clips; a short clip's unused share goes to the longer ones.
    The answer follows the order of `clips` and depends on nothing else. Raises ValueError for two clips of one key.
    """
    if len({clip.key for clip in clips}) != len(clips):
        raise ValueError("two clips have the same key")
    usable = {clip.key: clip.usable for clip in clips}
    with_frames = [clip for clip in clips if usable[clip.key]]
    stills = [clip for clip in with_frames if clip.still]
    sweeps = [clip for clip in with_frames if not clip.still]
    counts = {key: len(numbers) for key, numbers in usable.items()}
    chosen = _share([(clip.key, counts[clip.key]) for clip in stills], budget)
    chosen |= _share([(clip.key, counts[clip.key]) for clip in sweeps], budget - sum(chosen.values()))
    return [
        (clip.key, usable[clip.key][place - 1])
        for clip in with_frames
        for place in _spread(counts[clip.key], chosen[clip.key])
    ]


def _share(clips: list[tuple[str, int]], budget: int) -> dict[str, int]:
    """Frames for each key: the budget split as equally as the clips' lengths allow. `clips`: key and usable frames."""
    if budget < len(clips):
        numbers = set(_spread(len(clips), budget))
        return {key: int(number in numbers) for number, (key, _) in enumerate(clips, start=1)}
    shares: dict[str, int] = {}
    for key, frames in sorted(clips, key=lambda clip: clip[1]):
        left = budget - sum(shares.values())
        shares[key] = min(frames, left // (len(clips) - len(shares)))
    return shares


def _spread(frames: int, count: int) -> list[int]:
    """`count` frames from 1 to `frames`, in the middle of equal stretches."""
    return [(2 * index + 1) * frames // (2 * count) + 1 for index in range(min(count, frames))]
