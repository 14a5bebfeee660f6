"""Training at the paper's size: embedding a cohort, cross-validating on its embeddings, and doing without a cache."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydicom.pixels.utils import iter_pixels  # files that the benchmark has just written

from benchmarks.rows import Row
from inference.core.engine import Engine
from inference.core.preprocess import prepare
from inference.core.weights import read_model
from training.benchmark.cohort_frames import cohort_truth
from training.core.bags import Bags
from training.core.crossval import RECIPES, cross_validate
from training.demo_model.build import DIM
from training.phantom.dicom import write_exam
from training.phantom.neophantom import FRAMES, Cohort, examination
from training.phantom.prepared_frames import prepared_exam

COMMAND = "make bench AREA=training"
DEMO_MODEL = Path(__file__).resolve().parents[1] / "inference" / "demo_model"
FOLDS = 5
SAMPLE = 48
"""Infants whose frames are made, stored, read and embedded; the whole cohort's time is told from theirs."""
NAIVE_SAMPLE = 12
GIB = 2**30
Facts = dict[str, Any]


def at_the_papers_size() -> list[Row]:
    """2,127 infants of 16 frames: the embedding, the cross-validation of the heads, and what no cache would cost."""
    infants = Cohort().infants
    embedding, folds, naive = (_in_a_process(measure) for measure in (_embed, _cross_validate, _without_cache))
    minutes, seconds = embedding["seconds"] * infants / 60, folds["seconds"]
    once = naive["seconds"] * infants
    cached, without = once + seconds, once * folds["epochs"]
    ratio = round(without / cached, 1)
    peak = max(embedding["peak"], folds["peak"])
    cores = f"{torch.get_num_threads()} threads"
    frames = f"{infants:,} infants x {FRAMES} frames"
    sample = f"estimated from {SAMPLE} infants; {embedding['type']}"
    return [
        _row("embedding", minutes, "min", 25, against=f"{frames}, {cores}; {sample}"),
        _row("crossval", seconds, "s", 180, against=f"{frames}: {folds['fits']:.0f} fits of the fontanelle head"),
        _row("memory", peak, "GiB", 4, against="peak of the embedding and of the cross-validation, each a process"),
        Row(
            "training.no_cache",
            round(without / 3600, 1),
            "h",
            "none",
            True,
            COMMAND,
            against=f"decoded and embedded again in {folds['epochs']:.0f} epochs; from {NAIVE_SAMPLE} infants; "
            "ratio: to once and the cross-validation",
            ratio=ratio,
        ),
    ]


def _row(name: str, value: float, unit: str, most: float, *, against: str) -> Row:
    return Row(f"training.{name}", round(value, 2), unit, f"≤ {most}", value <= most, COMMAND, against=against)


def _in_a_process(measure: Callable[[], Facts]) -> Facts:
    """A measurement in a fresh process, whose memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure)


def _peak() -> float:
    """GiB that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


def _embed() -> Facts:
    """Seconds to embed an infant's prepared frames as the engine does, all threads at work."""
    infants = [prepared_exam(examination(Cohort(), at), budget=FRAMES).frames for at in range(SAMPLE)]
    engine = Engine(read_model(DEMO_MODEL))
    return {"seconds": _median(engine.embed, infants), "peak": _peak(), "type": str(engine.dtype)}


def _median(work: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    """Median seconds of a piece of work, the first done once before to warm up."""
    work(inputs[0])
    seconds = []
    for each in inputs:
        began = time.perf_counter()
        work(each)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def _cross_validate() -> Facts:
    """Seconds of the whole cross-validation on bags that are in memory, and how many fits and epochs it takes.

    What the embeddings hold does not change how long it takes: a bleed is a shift of some numbers in a frame or two.
    """
    truth, rng = cohort_truth(Cohort()), np.random.default_rng(0)
    keyframes = [np.full(FRAMES, -1, dtype=np.int8) for _ in truth.y]
    embeddings = []
    for at, positive in enumerate(truth.y.tolist()):
        bag = rng.standard_normal((FRAMES, DIM), dtype=np.float32).astype(np.float16)
        if positive:
            bag[:2, :40] += 1
            keyframes[at][:2] = 1
        embeddings.append(bag)
    uids = np.array([f"infant-{at:04d}" for at in range(len(truth.y))])
    bags = Bags(embeddings=embeddings, y=truth.y, groups=truth.groups, uids=uids, keyframes=keyframes)
    began = time.perf_counter()
    cross_validate(bags, head="fontanelle", folds=FOLDS)
    recipe = RECIPES["fontanelle"]
    fits = FOLDS * recipe.seeds * (1 + recipe.inner_folds)
    batches = -(-len(bags) * (FOLDS - 1) // FOLDS // recipe.fit.batch)
    return {
        "seconds": time.perf_counter() - began,
        "peak": _peak(),
        "fits": fits,
        "epochs": fits * -(-recipe.fit.steps // batches),
    }


def _without_cache() -> Facts:
    """Seconds for an infant whose frames are read from DICOM, prepared and embedded each time."""
    engine = Engine(read_model(DEMO_MODEL))
    with tempfile.TemporaryDirectory() as folder:
        studies = [write_exam(examination(Cohort(), at), Path(folder)) for at in range(NAIVE_SAMPLE)]
        return {"seconds": _median(lambda files: engine.embed(_read(files)), studies)}


def _read(files: list[Path]) -> NDArray[np.uint8]:
    return np.stack([prepare(frame) for path in files for frame in iter_pixels(path)])


MEASURES = (at_the_papers_size,)
