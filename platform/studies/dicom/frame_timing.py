"""How fast a clip runs: the time of its frames, and the rate that the device recommends, as far as they can be true."""

from __future__ import annotations

from itertools import accumulate
from statistics import median

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from studies.dicom import attributes
from studies.dicom.facts import FrameTiming

# An image line of 5 cm takes sound 65 µs there and back, and an image has dozens: no scanner makes one in less than a
# millisecond. What is shorter was written in seconds (0.033). A trigger waits seconds at most: what is longer than
# five was written in microseconds (33333).
SHORTEST_MS, LONGEST_MS = 1.0, 5000.0


def read(dataset: Dataset, frames: int) -> FrameTiming:
    """The time of a frame, or the start of each; and what the file says of them that cannot be true."""
    single, single_flaw = _single(dataset, frames)
    starts, vector_flaw = _vector(dataset, frames)
    flaws = {"FrameTime": single_flaw, "FrameTimeVector": vector_flaw}
    values = {"FrameTime": single, "FrameTimeVector": starts}
    order = _in_order(dataset)
    used = next((name for name in order if values[name]), "")
    tried = order[: order.index(used) + 1] if used else order
    return {
        "frame_time_ms": single,
        "frame_times_ms": starts if used == "FrameTimeVector" else None,
        "frame_time_flaw": next((flaws[name] for name in tried if flaws[name]), ""),
        "display_rate": _rate(dataset),
    }


def _in_order(dataset: Dataset) -> list[str]:
    """The element that Frame Increment Pointer names comes first, the list where it names neither."""
    pointer = attributes.value(dataset, "FrameIncrementPointer")
    named = pointer if hasattr(pointer, "__len__") else [pointer]
    first = "FrameTime" if tag_for_keyword("FrameTime") in named else "FrameTimeVector"
    return [first, "FrameTimeVector" if first == "FrameTime" else "FrameTime"]


def _single(dataset: Dataset, frames: int) -> tuple[float | None, str]:
    time = attributes.number(dataset, "FrameTime")
    if time is None or _believable(time):
        return time, ""
    return None, f"the file's frame time of {time:g} ms cannot be true" if frames > 1 else ""


def _vector(dataset: Dataset, frames: int) -> tuple[list[float] | None, str]:
    """A device that drops frames writes a nought now and then: the middle of the steps is what must be believable."""
    vector = attributes.value(dataset, "FrameTimeVector")
    if frames < 2 or vector is None:
        return None, ""
    many = [vector] if isinstance(vector, str) or not hasattr(vector, "__len__") else vector
    try:
        steps = [float(step) for step in many]
    except (TypeError, ValueError):
        return None, "the file's frame times cannot be read"
    if len(steps) != frames:
        return None, f"the file's {len(steps)} frame times are not those of {frames} frames"
    middle = median(steps[1:])
    if not _believable(middle):
        return None, f"the file's frame times of {middle:g} ms cannot be true"
    wrong = next((step for step in steps[1:] if not 0 <= step <= LONGEST_MS), None)
    if wrong is not None:
        return None, f"a frame time of {wrong:g} ms cannot be true"
    return list(accumulate([0.0, *steps[1:]])), ""


def _rate(dataset: Dataset) -> float | None:
    rates = (attributes.number(dataset, name) for name in ("RecommendedDisplayFrameRate", "CineRate"))
    return next((rate for rate in rates if rate is not None and rate > 0 and _believable(1000 / rate)), None)


def _believable(time: float) -> bool:
    return SHORTEST_MS <= time <= LONGEST_MS
