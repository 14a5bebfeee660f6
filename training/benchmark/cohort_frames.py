"""A benchmark cohort's frames on disk: prepared once, read as one memory map, gone on with after a stop."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.atomic_file import replacing
from inference.core.preprocess import INPUT_SIZE
from training.core.splits import linked_groups
from training.phantom.neophantom import FRAMES, Cohort, examination, plan_digest, plans
from training.phantom.prepared_frames import prepared_exam

CHUNK = 64
Say = Callable[[str], None]


@dataclass(frozen=True)
class CohortFrames:
    """M infants: `frames` uint8 [M, N, S, S] (a memory map), `keyframes` bool [M, N], `grade` int [M] (worse side),
    `groups` str [M] (twins share one), `device` int [M]."""

    frames: NDArray[np.uint8]
    keyframes: NDArray[np.bool_]
    grade: NDArray[np.int64]
    groups: NDArray[np.str_]
    device: NDArray[np.int64]

    @property
    def y(self) -> NDArray[np.int64]:
        """1 with haemorrhage, [M]."""
        return (self.grade > 0).astype(np.int64)

    @property
    def digest(self) -> str:
        """SHA-256 of every frame and label."""
        digest = hashlib.sha256(self.grade.tobytes())
        for frames in self.frames:
            digest.update(np.ascontiguousarray(frames).tobytes())
        return digest.hexdigest()


def cohort_frames(
    cohort: Cohort, folder: Path, *, numbers: Sequence[int] | None = None, processes: int = 2, say: Say = lambda _: None
) -> CohortFrames:
    """The frames of a cohort's infants (all, or those of `numbers`), made where FOLDER does not have them yet."""
    infants = list(range(cohort.infants)) if numbers is None else list(numbers)
    parts = [np.load(path) for path in make_frames(cohort, folder, numbers=infants, processes=processes, say=say)]
    return replace(
        cohort_truth(cohort, infants),
        frames=np.concatenate([part["frames"] for part in parts]),
        keyframes=np.concatenate([part["keyframes"] for part in parts]),
    )


def make_frames(
    cohort: Cohort, folder: Path, *, numbers: Sequence[int], processes: int = 2, say: Say = lambda _: None
) -> list[Path]:
    """Make what FOLDER does not have yet; the files of `CHUNK` infants each, in the order of `numbers`."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = {
        **asdict(cohort),
        "numbers": hashlib.sha256(json.dumps(list(numbers)).encode()).hexdigest(),
        "plan": plan_digest(cohort),
    }
    _check_stamp(folder / "cohort.json", stamp)
    chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
    missing = [number for number in range(len(chunks)) if not _chunk(folder, number).exists()]
    if missing:
        say(f"{len(missing)} of {len(chunks)} chunks of {CHUNK} infants are to be made")
    _make(cohort, folder, {number: chunks[number] for number in missing}, processes=processes)
    return [_chunk(folder, number) for number in range(len(chunks))]


def cohort_truth(cohort: Cohort, numbers: Sequence[int] | None = None) -> CohortFrames:
    """The labels of infants, which follow from the plan; without frames."""
    planned = plans(cohort) if numbers is None else [plans(cohort)[number] for number in numbers]
    return CohortFrames(
        frames=np.zeros((len(planned), 0, INPUT_SIZE, INPUT_SIZE), dtype=np.uint8),
        keyframes=np.zeros((len(planned), 0), dtype=np.bool_),
        grade=np.array([max(plan.grade_right, plan.grade_left) for plan in planned]),
        groups=np.array(linked_groups([plan.patient_id for plan in planned], [plan.twin_group for plan in planned])),
        device=np.array([plan.device for plan in planned]),
    )


def _chunk(folder: Path, number: int) -> Path:
    return folder / f"chunk-{number:04d}.npz"


def _check_stamp(path: Path, stamp: dict[str, object]) -> None:
    """Raise ValueError if the folder holds another cohort."""
    text = json.dumps(stamp, sort_keys=True)
    if path.exists() and path.read_text() != text:
        raise ValueError(f"{path.parent} holds another cohort; name another folder or empty it")
    path.write_text(text)


def _make(cohort: Cohort, folder: Path, chunks: dict[int, Sequence[int]], *, processes: int) -> None:
    if not chunks:
        return
    write = partial(_write_chunk, cohort, folder)
    if processes <= 1:
        for number, infants in chunks.items():
            write(number, infants)
        return
    # Spawned, not forked: the caller may hold threads.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(write, number, infants) for number, infants in chunks.items()]:
            done.result()


def _write_chunk(cohort: Cohort, folder: Path, number: int, infants: Sequence[int]) -> None:
    exams = [prepared_exam(examination(cohort, infant), budget=FRAMES) for infant in infants]
    frames, keyframes = (np.stack([getattr(exam, name) for exam in exams]) for name in ("frames", "keyframes"))
    with replacing(_chunk(folder, number)) as file:
        np.savez(file, frames=frames, keyframes=keyframes)
