"""`python -m training freeze`: sets the bleed's contrast so that the paper's recipe reaches its published AUROC.

Each level is fitted at the protocol's size on three draws of the cohort's own infants and measured on 800 others
(400 with blood, in the cohort's mix of grades), who belong to no cohort. Negatives look the same at every level, so
they are rendered and put through the frozen trunk once.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from common.atomic_file import replacing
from inference.core.manifest import BadModel
from inference.core.preprocess import INPUT_SIZE
from inference.core.weights import load_backbone, save_backbone
from training.benchmark.cohort_frames import Say, cohort_truth
from training.benchmark.draws import draw, exchanged
from training.benchmark.feature_cache import FeatureCache, Half
from training.benchmark.paper_recipe import PaperFit, fit_paper, load_paper, predict
from training.core.heads import one_thread
from training.core.metrics import auroc
from training.phantom.neophantom import Cohort
from training.pretraining.loop import Stage
from training.pretraining.methods import pretrain, read_images

GOAL, TOLERANCE = 0.72, 0.02
STEP_DB = 0.5
LEVEL_DRAWS = 3
PRETRAINING, PRETRAINING_SEED = "anomaly", 1
PRETRAINING_STAGES = (
    Stage(steps=450, crop=64, side=64, batch=24, rate=1e-3),
    Stage(steps=60, crop=0, side=INPUT_SIZE, batch=12, rate=4e-4),
)
TESTED = Cohort(seed=7002, infants=800, grades=(200, 100, 60, 40))


def level(cache: FeatureCache, backbone: nn.Module, bleed_db: float, *, draws: int = LEVEL_DRAWS) -> dict[str, Any]:
    """The paper's recipe at one contrast: AUROC of each draw on the separate infants, and their mean."""
    began = time.monotonic()
    cohort, tested = replace(Cohort(), bleed_db=bleed_db), replace(TESTED, bleed_db=bleed_db)
    features, test_features = cache.trunk(cohort, backbone), cache.trunk(tested, backbone)
    test_y = cohort_truth(tested).y
    aurocs = []
    for number in range(draws):
        fit = fit_draw(cache, backbone, features, cohort=cohort, number=number)
        aurocs.append(auroc(test_y, predict(fit.network, test_features, np.arange(len(test_y)))))
        cache.say(f"{bleed_db:g} dB, draw {number}: AUROC {aurocs[-1]:.3f}, epoch {fit.best_epoch + 1}")
    return {
        "bleed_db": bleed_db,
        "auroc": [round(value, 4) for value in aurocs],
        "mean": round(float(np.mean(aurocs)), 4),
        "sd": round(float(np.std(aurocs, ddof=1)), 4),
        "test_positives": int(test_y.sum()),
        "test_negatives": int(len(test_y) - test_y.sum()),
        "seconds": round(time.monotonic() - began),
    }


def fit_draw(cache: FeatureCache, backbone: nn.Module, features: Half, *, cohort: Cohort, number: int) -> PaperFit:
    """The paper's recipe on one draw of a cohort, from the work folder if it was fitted before."""
    path = cache.work / f"paper-{cohort.seed}-{cohort.bleed_db:g}dB-draw-{number}.safetensors"
    if not path.exists():
        truth = cohort_truth(cohort)
        drawn = draw(truth.grade, truth.groups, number=number)
        fit_paper(
            features,
            exchanged(truth.y, drawn.train, seed=number),
            truth.y,
            backbone=backbone,
            train=drawn.train,
            validation=drawn.validation,
            seed=number,
        ).save(path)
    return load_paper(path, backbone)


def close_in(measure: Callable[[float], dict[str, Any]], *, low: float, high: float) -> Iterator[dict[str, Any]]:
    """Measure both ends, then where a straight line between the nearest levels meets the goal (regula falsi, in steps
    of half a decibel), until a level's mean AUROC lies within the tolerance."""
    ends = {}
    for db in (low, high):
        ends[db] = measure(db)
        yield ends[db]
        if abs(ends[db]["mean"] - GOAL) <= TOLERANCE:
            return
    while high - low > STEP_DB:
        below, above = ends[low]["mean"], ends[high]["mean"]
        share = (GOAL - below) / (above - below) if above > below else 0.5
        db = float(np.clip(round((low + share * (high - low)) / STEP_DB) * STEP_DB, low + STEP_DB, high - STEP_DB))
        ends[db] = measure(db)
        yield ends[db]
        if abs(ends[db]["mean"] - GOAL) <= TOLERANCE:
            return
        low, high = (db, high) if ends[db]["mean"] < GOAL else (low, db)


def record(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write what was measured, level by level."""
    text = json.dumps({"goal": GOAL, "tolerance": TOLERANCE, "levels": list(rows)}, indent=2) + "\n"
    with replacing(path) as file:
        file.write(text.encode())


def main(argv: list[str]) -> int:
    """Bisect, level by level, going on where a stopped run was; 0, or 2 with one line of reason."""
    options = _parser().parse_args(argv)
    options.work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:7.0f} s  {line}\n")
        sys.stdout.flush()

    try:
        # The sums of several threads end in other bits, and five hundred steps of pretraining make a trunk of them.
        with one_thread():
            _closed_in(options, say)
    except (ValueError, OSError, BadModel) as error:
        sys.stderr.write(f"freeze: {error}. What was measured is kept in {options.out}.\n")
        return 2
    say(f"Wrote {options.out}. Generated phantoms: this says nothing of any person. Research use only.")
    return 0


def _closed_in(options: argparse.Namespace, say: Say) -> None:
    cache = FeatureCache(options.work, options.processes, say)
    backbone = paper_backbone(options.images, options.work, say=say)
    rows = _recorded_levels(options.out)
    for row in close_in(partial(_level_once, cache, backbone, rows), low=options.low, high=options.high):
        rows[row["bleed_db"]] = row
        record(options.out, list(rows.values()))
        say(f"{row['bleed_db']:g} dB: mean AUROC {row['mean']:.3f} (sd {row['sd']:.3f})")


def _level_once(
    cache: FeatureCache, backbone: nn.Module, rows: dict[float, dict[str, Any]], bleed_db: float
) -> dict[str, Any]:
    return rows[bleed_db] if bleed_db in rows else level(cache, backbone, bleed_db)


def _recorded_levels(path: Path) -> dict[float, dict[str, Any]]:
    if not path.exists():
        return {}
    return {row["bleed_db"]: row for row in json.loads(path.read_text())["levels"]}


def paper_backbone(images: Path, work: Path, *, say: Say) -> nn.Module:
    """The recipe's backbone, pretrained on other ultrasound without labels, from the work folder if it is there."""
    path = work / "paper-backbone.safetensors"
    if not path.exists():
        say(f"the paper's backbone is pretrained on {images}")
        save_backbone(
            path,
            pretrain(
                read_images(images),
                method=PRETRAINING,
                seed=PRETRAINING_SEED,
                stages=PRETRAINING_STAGES,
                checkpoint=work / "paper-backbone.checkpoint",
                progress=lambda step, loss: say(f"step {step + 1}, loss {loss:.3f}") if step % 50 == 49 else None,
            ),
        )
    return load_backbone(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training freeze", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of other ultrasound to pretrain on")
    parser.add_argument("--work", type=Path, required=True, help="folder for frames and features; may be emptied")
    parser.add_argument("--out", type=Path, required=True, help="the record, FILE.json")
    parser.add_argument("--low", type=float, default=6.0, help="lower contrast, dB")
    parser.add_argument("--high", type=float, default=18.0, help="higher contrast, dB")
    parser.add_argument("--processes", type=int, default=2)
    return parser
