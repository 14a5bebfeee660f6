"""A benchmark's work folder: frames of cohorts, and what networks made of them, each computed once.

Positives and negatives lie in folders of their own: a negative shows no blood, so that its frames and all that is
computed from them serve every contrast of blood. Everything may be deleted; it is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from common.atomic_file import replacing
from training.benchmark.cohort_frames import CHUNK, Say, make_frames
from training.benchmark.paper_recipe import trunk_features
from training.phantom.neophantom import Cohort, plans

Half = NDArray[np.float16]
Embed = Callable[[NDArray[np.uint8]], Half]


@dataclass(frozen=True)
class Part:
    """The infants of one class of a cohort, by their numbers [m], and the files of frames that hold them."""

    name: str
    numbers: Sequence[int]
    chunks: Sequence[Path]


@dataclass(frozen=True)
class FeatureCache:
    """The work folder, how many processes may render, and a function that prints a line of progress."""

    work: Path
    processes: int
    say: Say

    def parts(self, cohort: Cohort) -> list[Part]:
        """Positives and negatives, their frames made."""
        return [self._part(cohort, positive) for positive in (True, False)]

    def _part(self, cohort: Cohort, positive: bool) -> Part:
        numbers = [number for number, plan in enumerate(plans(cohort)) if plan.positive == positive]
        name = _name(cohort, positive)
        made = cohort if positive else replace(cohort, bleed_db=0.0)
        folder = self.work / f"frames-{name}"
        chunks = make_frames(made, folder, numbers=numbers, processes=self.processes, say=self.say)
        return Part(name, numbers, chunks)

    def trunk(self, cohort: Cohort, backbone: nn.Module) -> Half:
        """What enters the last block of the paper's recipe, [M, 8, C, s, s], in the infants' order."""
        return self._each(cohort, "trunk", lambda frames: trunk_features(backbone, frames))

    def embeddings(
        self, cohort: Cohort, *, name: str, embed: Embed, seen: NDArray[np.int64] | slice = slice(None)
    ) -> Half:
        """Embeddings [M, N, D] of the frames at the places `seen`, in the infants' order; NAME says whose they are."""

        def embedded(chunk: NDArray[np.uint8]) -> Half:
            frames = chunk[:, seen]  # [m, N, S, S]
            return embed(frames.reshape(-1, *frames.shape[2:])).reshape(*frames.shape[:2], -1)

        return self._each(cohort, f"embedded-{name}", embedded)

    def frames(self, cohort: Cohort) -> NDArray[np.uint8]:
        """All prepared frames, [M, N, S, S]: for cohorts that fit into memory."""
        return _ordered(cohort, self._chunks(cohort), lambda path: np.asarray(np.load(path)["frames"]))

    def keyframes(self, cohort: Cohort) -> NDArray[np.bool_]:
        """Which frames show blood, [M, N]."""
        return _ordered(cohort, self._chunks(cohort), lambda path: np.asarray(np.load(path)["keyframes"]))

    def _each(self, cohort: Cohort, name: str, make: Embed) -> Half:
        """`make` of each file of frames, one file beside it, so that a stopped run goes on."""
        return _ordered(cohort, self._chunks(cohort), lambda path: self._once(path, name, make))

    def _chunks(self, cohort: Cohort) -> Iterator[tuple[Sequence[int], Path]]:
        """Every file of frames with the numbers of its infants."""
        for part in self.parts(cohort):
            for number, path in enumerate(part.chunks):
                yield part.numbers[number * CHUNK : (number + 1) * CHUNK], path

    def _once(self, chunk: Path, name: str, make: Embed) -> Half:
        path = chunk.with_name(f"{name}-{chunk.stem}.npy")
        if not path.exists():
            with np.load(chunk) as frames, replacing(path) as file:
                np.save(file, make(frames["frames"]))
            self.say(f"{chunk.parent.name}: {name} of {chunk.stem}")
        features: Half = np.load(path)
        return features


def _name(cohort: Cohort, positive: bool) -> str:
    """A folder for each of what changes the pictures."""
    words = [str(cohort.seed), f"positives-{cohort.bleed_db:g}dB" if positive else "negatives"]
    plain = Cohort()
    words += [f"captions-{cohort.caption_rate:g}"] * (cohort.caption_rate != plain.caption_rate)
    words += [cohort.devices] * (cohort.devices != plain.devices)
    return "-".join(words)


def _ordered(
    cohort: Cohort, chunks: Iterator[tuple[Sequence[int], Path]], read: Callable[[Path], NDArray[Any]]
) -> NDArray[Any]:
    """The rows of all files in the infants' order; never more than one file beside the whole."""
    whole: NDArray[Any] | None = None
    for numbers, path in chunks:
        rows = read(path)
        if whole is None:
            whole = np.empty((cohort.infants, *rows.shape[1:]), dtype=rows.dtype)
        whole[list(numbers)] = rows
    assert whole is not None, "a cohort has infants"
    return whole
