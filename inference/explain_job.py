"""The handler of ``explain``: heat maps of a score's heaviest frames. Only workers import this: it needs torch.

A job of its own after the score's, and behind every score that waits: a map never delays a flag.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from inference.core.gradcam import METHOD, heat_maps
from inference.core.manifest import BadModel
from inference.core.preprocess import prepare, seen_square
from inference.embedding_cache import EmbeddedStudy, embed_clips, seen_frame
from inference.engine_cache import engine_for
from inference.models import Explanation, Score
from inference.payloads import FrameAttention, FrameHeatMap
from jobs.job_context import JobContext
from studies.frame_cache import FrameError
from studies.models import Clip

TOP = 5
"""Frames that are mapped: those with the most attention."""
DIGITS = 3


def explain(context: JobContext) -> None:
    """Compute and keep the maps of one score; a score that cannot be explained any more is left without."""
    score = Score.objects.select_related("revision", "model").get(pk=context.payload["score"])
    frames = _maps(score) if score.attention and score.model else []
    facts = {"method": METHOD, "frames": frames, "created_at": timezone.now()}
    context.finish(lambda: Explanation.objects.update_or_create(score=score, defaults=facts) and None)


def _maps(score: Score) -> list[FrameHeatMap]:
    assert score.model is not None
    if score.revision.clips.filter(replaced_at__gt=score.revision.closed_at).exists():
        return []  # other pictures than those that were scored
    try:
        engine = engine_for(score.model)
    except BadModel:
        return []
    clips = {clip.sop_uid: clip for clip in score.revision.clips.scorable()}
    embedded = embed_clips(list(clips.values()), engine)
    if embedded.frames != [(entry["sop_uid"], entry["frame"]) for entry in score.attention]:
        return []  # another selection than the one that was scored: its maps would be of something else
    heaviest = sorted(range(len(score.attention)), key=lambda at: -score.attention[at]["weight"])[:TOP]
    inputs = [frame for at in heaviest if (frame := _input_frame(clips, embedded, at)) is not None]
    if not inputs:
        return []
    prepared = np.stack([frame.prepared for frame in inputs])  # [K, S, S]
    maps = heat_maps(engine, prepared, embedded.embeddings, [frame.place for frame in inputs])  # [K, h, w]
    return [_payload(score.attention[frame.place], frame, heat) for frame, heat in zip(inputs, maps, strict=True)]


class InputFrame(NamedTuple):
    """The frame at a ``place`` of the bag as the network saw it, uint8 [S, S], and the square of the picture (x, y,
    side, in pixels) that this was."""

    place: int
    prepared: NDArray[np.uint8]
    square: tuple[int, int, int]


def _input_frame(clips: dict[str, Clip], embedded: EmbeddedStudy, place: int) -> InputFrame | None:
    """None for a frame that cannot be decoded any more."""
    uid, number = embedded.frames[place]
    try:
        grey, box = seen_frame(clips[uid], number)
    except FrameError:
        return None
    return InputFrame(place, prepare(grey, box), seen_square(grey, box))


def _payload(entry: FrameAttention, frame: InputFrame, heat: NDArray[np.float32]) -> FrameHeatMap:
    rounded = [[round(float(value), DIGITS) for value in row] for row in heat]
    return {"sop_uid": entry["sop_uid"], "frame": entry["frame"], "square": list(frame.square), "heat": rounded}
