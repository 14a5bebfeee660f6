"""The order in which the clips of a study were taken: by clocks, and by instance numbers where clocks cannot tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import timezone

from studies.models import Clip

REPEATED_HOUR = (
    "The clocks went back in this night, and the file does not say whether its time is before or after: "
    "sorted by its instance number."
)
_STEP_BACK = timedelta(hours=1)


def is_repeated(local: datetime) -> bool:
    """Whether the site's clocks show this time, which has no offset, twice."""
    first, second = (timezone.make_aware(local.replace(fold=fold)) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset() and first.timestamp() < second.timestamp()


def ordered(clips: Iterable[Clip]) -> list[Clip]:
    """What has no believable date stands after the clip with the instance number before, else by arrival."""
    series: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        series[clip.series_uid].append(clip)
    taken = {pk: at for each in series.values() for pk, at in _taken(each).items()}
    return sorted(
        (clip for each in series.values() for clip in each),
        key=lambda clip: (taken[clip.pk], clip.series_number or 0, clip.instance_number or 0, clip.pk),
    )


def _taken(series: list[Clip]) -> dict[int, datetime]:
    """When each clip of a series was taken, as well as can be told."""
    numbered = sorted((clip for clip in series if clip.instance_number is not None), key=_number)
    known = {clip.pk: clip.acquired_at for clip in series if clip.acquired_at is not None} | _second_pass(numbered)
    arrived = min(clip.received_at for clip in series)
    last = next((known[clip.pk] for clip in numbered if clip.pk in known), arrived)
    for clip in numbered:
        last = known.setdefault(clip.pk, last)
    return {clip.pk: known.get(clip.pk, clip.received_at) for clip in series}


def _number(clip: Clip) -> tuple[int, int]:
    return clip.instance_number or 0, clip.pk


def _second_pass(numbered: list[Clip]) -> dict[int, datetime]:
    """Those taken after the clocks went back: from the first whose time lies before that of the clip before it."""
    doubtful = [clip for clip in numbered if clip.acquired_at is not None and REPEATED_HOUR in clip.warnings]
    times = [clip.acquired_at for clip in doubtful if clip.acquired_at is not None]
    back = next((place for place, (one, two) in enumerate(pairwise(times), 1) if two < one), len(times))
    return {clip.pk: at + _STEP_BACK for clip, at in zip(doubtful[back:], times[back:], strict=True)}
