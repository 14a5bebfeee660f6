"""The handler of ``explain``: heat maps of a score's heaviest frames. Only workers import this: it needs torch.

A job of its own after the score's, and behind every score that waits: a map never delays a flag.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from django.utils import timezone

from inference.core.gradcam import METHOD, heat_maps
from inference.core.manifest import BadModel
from inference.core.preprocess import prepare, seen_square
from inference.embedding_cache import EmbeddedStudy, embed_clips, seen_frame
from inference.engine_cache import engine_for
from inference.models import Explanation, Score
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


def _maps(score: Score) -> list[dict[str, Any]]:
    assert score.model is not None
    try:
        engine = engine_for(score.model)
    except BadModel:
        return []
    clips = {clip.sop_uid: clip for clip in score.revision.clips.all()}
    usable = [clip for clip in clips.values() if clip.scorable and clip.frames > 0]
    embedded = embed_clips(usable, engine)
    if embedded.frames != [(entry["sop_uid"], entry["frame"]) for entry in score.attention]:
        return []  # another selection than the one that was scored: its maps would be of something else
    heaviest = sorted(range(len(score.attention)), key=lambda at: -score.attention[at]["weight"])[:TOP]
    seen = [(at, *found) for at in heaviest if (found := _look(clips, embedded, at)) is not None]
    if not seen:
        return []
    pictures = np.stack([picture for _, picture, _ in seen])  # [K, S, S]
    maps = heat_maps(engine, pictures, embedded.embeddings, [at for at, _, _ in seen])  # [K, h, w]
    return [_told(score.attention[at], square, heat) for (at, _, square), heat in zip(seen, maps, strict=True)]


def _look(clips: dict[str, Clip], embedded: EmbeddedStudy, at: int) -> tuple[Any, tuple[int, int, int]] | None:
    """The frame at a place of the bag as the network saw it, and the square of the picture that this was."""
    uid, number = embedded.frames[at]
    try:
        grey, box = seen_frame(clips[uid], number)
    except FrameError:
        return None
    return prepare(grey, box), seen_square(grey, box)


def _told(entry: dict[str, Any], square: tuple[int, int, int], heat: Any) -> dict[str, Any]:
    rounded = [[round(float(value), DIGITS) for value in row] for row in heat]
    return {"sop_uid": entry["sop_uid"], "frame": entry["frame"], "square": list(square), "heat": rounded}
