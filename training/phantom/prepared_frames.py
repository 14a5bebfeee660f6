"""Phantom frames as the network sees them, with their truth: what the demo model learns from."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.atomic_file import replacing
from inference.core.frame_selection import ClipFacts, select_frames
from inference.core.preprocess import INPUT_SIZE, Box, grey_of, prepare, shown_box
from training.phantom import PhantomClip, PhantomExam, exam

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Request:
    """One phantom examination to make. Without `grades` (right, left) the cohort draws them."""

    seed: int
    index: int
    size: str = "small"
    positive_fraction: float = 0.3
    grades: tuple[int, int] | None = None


@dataclass(frozen=True)
class ExamFrames:
    """The selected frames of one examination.

    `frames` uint8 [N, S, S]; `bleeds` holds for each frame its boxes float32 [K, 4] (x0, y0, x1, y1, prepared
    pixels); `clear` bool [N] marks the frames certainly without blood: those of clips that never show it.
    """

    patient: str
    twin_group: str
    grade: int
    frames: NDArray[np.uint8]
    bleeds: tuple[Floats, ...]
    clear: NDArray[np.bool_]

    @property
    def positive(self) -> bool:
        return self.grade > 0

    @property
    def keyframes(self) -> NDArray[np.bool_]:
        """Which frames show blood, bool [N]."""
        return np.array([len(boxes) > 0 for boxes in self.bleeds], dtype=np.bool_)


def render(requests: Sequence[Request], *, budget: int, processes: int = 2) -> list[ExamFrames]:
    """Make examinations and prepare their selected frames, in spawned processes."""
    if processes <= 1:
        return [exam_frames(request, budget=budget) for request in requests]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(partial(exam_frames, budget=budget), requests, chunksize=4))


def exam_frames(request: Request, *, budget: int) -> ExamFrames:
    """One examination: the frames that the engine would choose, prepared as it would."""
    made = exam(
        request.seed,
        request.index,
        size=request.size,
        positive_fraction=request.positive_fraction,
        grades=request.grades,
    )
    return prepared_exam(made, budget=budget)


def prepared_exam(made: PhantomExam, *, budget: int) -> ExamFrames:
    """A rendered examination as the engine would see it, with its truth."""
    clips = {clip.sop_uid: clip for clip in made.clips}
    facts = [ClipFacts(clip.sop_uid, len(clip.frames), clip.still) for clip in made.clips]
    chosen = [(clips[key], frame) for key, frame in select_frames(facts, budget)]
    plan = made.plan
    return ExamFrames(
        patient=plan.patient_id,
        twin_group=plan.twin_group,
        grade=max(plan.grade_right, plan.grade_left),
        frames=np.stack([prepare(clip.frames[frame - 1], _region(clip)) for clip, frame in chosen]),
        bleeds=tuple(_boxes(clip, frame) for clip, frame in chosen),
        clear=np.array([not clip.keyframes for clip, _ in chosen]),
    )


def save_exams(path: Path, exams: Sequence[ExamFrames]) -> None:
    """Write examinations to one npz, whole or not at all."""
    sizes = [len(exam.frames) for exam in exams]
    boxes = [boxes for exam in exams for boxes in exam.bleeds]
    with replacing(path) as file:
        np.savez(
            file,
            frames=np.concatenate([exam.frames for exam in exams]),
            clear=np.concatenate([exam.clear for exam in exams]),
            boxes=np.concatenate(boxes),
            boxes_per_frame=[len(each) for each in boxes],
            frames_per_exam=sizes,
            patient=[exam.patient for exam in exams],
            twin_group=[exam.twin_group for exam in exams],
            grade=[exam.grade for exam in exams],
        )


def load_exams(path: Path) -> list[ExamFrames]:
    """Read what `save_exams` wrote."""
    with np.load(path, allow_pickle=False) as file:
        data = {key: file[key] for key in file.files}
    boxes = np.split(data["boxes"], np.cumsum(data["boxes_per_frame"])[:-1])
    ends = np.cumsum(data["frames_per_exam"])
    spans = [slice(end - size, end) for end, size in zip(ends, data["frames_per_exam"], strict=True)]
    return [
        ExamFrames(
            patient=str(data["patient"][number]),
            twin_group=str(data["twin_group"][number]),
            grade=int(data["grade"][number]),
            frames=data["frames"][span],
            bleeds=tuple(boxes[span]),
            clear=data["clear"][span],
        )
        for number, span in enumerate(spans)
    ]


def _region(clip: PhantomClip) -> Box:
    x0, y0, x1, y1 = clip.region
    return int(x0), int(y0), int(x1), int(y1)


def _boxes(clip: PhantomClip, frame: int) -> Floats:
    """The frame's keyframe boxes in prepared pixels, [K, 4]."""
    boxes = [tuple(key.box) for key in clip.keyframes if key.frame == frame]
    if not boxes:
        return np.zeros((0, 4), dtype=np.float32)
    x0, y0, x1, y1 = shown_box(grey_of(clip.frames[frame - 1]), _region(clip))
    side = max(x1 - x0, y1 - y0) + 1
    left, top = x0 - (side - (x1 - x0 + 1)) // 2, y0 - (side - (y1 - y0 + 1)) // 2
    return ((np.array(boxes) - (left, top, left, top)) * (INPUT_SIZE / side)).astype(np.float32)
