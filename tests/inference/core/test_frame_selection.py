"""Which frames are looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.core.frame_selection import ClipFacts, select_frames

LENGTHS = st.lists(st.tuples(st.integers(0, 80), st.booleans()), max_size=12)


def _clips(lengths: list[tuple[int, bool]]) -> list[ClipFacts]:
    return [ClipFacts(f"clip-{place}", 1 if still else frames, still) for place, (frames, still) in enumerate(lengths)]


@given(LENGTHS, st.integers(1, 60))
def test_it_fills_the_budget_with_frames_that_exist(lengths: list[tuple[int, bool]], budget: int) -> None:
    clips = _clips(lengths)
    chosen = select_frames(clips, budget)
    counts = {clip.key: clip.frames for clip in clips}
    assert len(chosen) == len(set(chosen)) == min(budget, sum(counts.values()))
    assert all(1 <= frame <= counts[key] for key, frame in chosen)


@given(LENGTHS)
def test_it_takes_all_stills(lengths: list[tuple[int, bool]]) -> None:
    stills = {(clip.key, 1) for clip in _clips(lengths) if clip.still}
    assert stills <= set(select_frames(_clips(lengths), 48))


@given(LENGTHS, st.integers(1, 60))
def test_it_answers_in_the_order_of_the_clips(lengths: list[tuple[int, bool]], budget: int) -> None:
    order = {clip.key: place for place, clip in enumerate(_clips(lengths))}
    chosen = [(order[key], frame) for key, frame in select_frames(_clips(lengths), budget)]
    assert chosen == sorted(chosen)


def test_a_short_clip_leaves_its_share_to_the_long_one() -> None:
    chosen = select_frames([ClipFacts("long", 100, False), ClipFacts("short", 4, False)], 24)
    assert [key for key, _ in chosen].count("long") == 20


def test_frames_are_spread_evenly() -> None:
    assert select_frames([ClipFacts("a", 40, False)], 4) == [("a", 6), ("a", 16), ("a", 26), ("a", 36)]


def test_two_clips_with_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        select_frames([ClipFacts("a", 4, False), ClipFacts("a", 5, False)])


def test_frames_that_are_left_out_are_never_chosen() -> None:
    clips = [ClipFacts("a", 10, False, frozenset(range(1, 6))), ClipFacts("b", 3, True, frozenset({1, 2, 3}))]
    assert select_frames(clips, 8) == [("a", frame) for frame in range(6, 11)]
