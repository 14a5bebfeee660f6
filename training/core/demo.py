"""The demo model: a backbone, heads and operating points learned from generated phantoms, and from nothing else.

Four parts, each kept in a work folder so that a run goes on where it stopped: frames, backbone, embeddings, heads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.core.engine import Engine
from inference.core.manifest import Calibration, Manifest, TrainedOn
from inference.core.preprocess import INPUT_SIZE, PREPROCESSING
from inference.core.select import FRAME_BUDGET
from inference.core.weights import LoadedModel, load_backbone, read_model, save_backbone, write_model
from training.core.backbone import Stage, pictures, train_backbone
from training.core.bags import Bags, load, make_bags
from training.core.crossval import CrossValidation, cross_validate
from training.core.frames import ExamFrames, Request, load_exams, render, save_exams
from training.core.metrics import auroc, clopper_pearson, pr_auc, sensitivity_specificity
from training.core.splits import linked_groups

ARCHITECTURE, DIM = "resnet50", 2048
DESCRIPTION = "Generated phantoms only. It has seen no person, and its answer means nothing for one."
PREVALENCE = 0.058
"""Share of positives that the calibration is set to: that of the cohort which the product is made for."""
GRADES = ((1, 0), (0, 2), (0, 1), (3, 0), (0, 0), (1, 0), (0, 4), (0, 1), (2, 0), (0, 0))
"""Grades (right, left) of the backbone's examinations, over and over: rich in the small bleeds that are hard."""
STAGES = (
    Stage(steps=450, crop=64, side=64, batch=24, rate=1e-3),
    Stage(steps=80, crop=0, side=INPUT_SIZE, batch=12, rate=4e-4),
)
"""Crops at full resolution first, since a bleed is small; whole frames last, since those are what is embedded."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Sizes:
    """How many phantom examinations each part gets; `full` of the backbone's have the size of a real scanner."""

    backbone: int = 190
    full: int = 12
    bags: int = 240
    test: int = 200


def backbone_frames(sizes: Sizes, *, seed: int, work: Path, processes: int) -> list[ExamFrames]:
    """The backbone's examinations, from the work folder if they are there."""
    requests = [
        Request(seed, index, size="full" if index < sizes.full else "small", grades=GRADES[index % len(GRADES)])
        for index in range(sizes.backbone + sizes.full)
    ]
    return _rendered(work / "backbone-frames.npz", requests, processes=processes)


def _rendered(path: Path, requests: Sequence[Request], *, processes: int) -> list[ExamFrames]:
    if not path.exists():
        save_exams(path, render(requests, budget=FRAME_BUDGET, processes=processes))
    return load_exams(path)


def fitted_backbone(
    exams: Sequence[ExamFrames], *, seed: int, work: Path, say: Say, stages: Sequence[Stage] = STAGES
) -> torch.nn.Module:
    """The trained backbone, from the work folder if it is there."""
    path = work / "backbone.safetensors"
    if not path.exists():
        steps = sum(stage.steps for stage in stages)
        recent: list[float] = []

        def heard(step: int, loss: float) -> None:
            recent.append(loss)
            if (step + 1) % 25 == 0:
                say(f"backbone: step {step + 1} of {steps}, loss {np.mean(recent[-25:]):.3f}")

        trained = train_backbone(
            pictures(exams), stages, seed=seed, checkpoint=work / "checkpoint.safetensors", progress=heard
        )
        save_backbone(path, trained)
    return load_backbone(path, ARCHITECTURE)


def embedding_engine(path: Path) -> Engine:
    """An engine that only embeds, from a backbone's safetensors; raises BadModel for anything else."""
    return Engine(LoadedModel(_draft(), load_backbone(path, ARCHITECTURE), ()))


def embedded_bags(exams: Sequence[ExamFrames], engine: Engine, *, name: str) -> Bags:
    """Embed each examination; twins share a group."""
    groups = linked_groups([exam.patient for exam in exams], [exam.twin_group for exam in exams])
    return make_bags(
        [engine.embed(exam.frames) for exam in exams],
        [int(exam.positive) for exam in exams],
        groups=groups,
        uids=[f"{name}-{number:04d}" for number in range(len(exams))],
    )


def cohort(exams: int, *, seed: int, work: Path, processes: int, positive_fraction: float = 0.3) -> list[ExamFrames]:
    """Phantom examinations as a cohort draws them."""
    requests = [Request(seed, index, positive_fraction=positive_fraction) for index in range(exams)]
    return _rendered(work / f"cohort-{seed}.npz", requests, processes=processes)


def train_demo(
    out: Path, *, seed: int, sizes: Sizes, work: Path, processes: int, say: Say, stages: Sequence[Stage] = STAGES
) -> dict[str, Any]:
    """Make the demo model folder OUT and measure it on phantoms of other seeds; returns the measurements."""
    work.mkdir(parents=True, exist_ok=True)
    backbone = fitted_backbone(
        backbone_frames(sizes, seed=seed, work=work, processes=processes), seed=seed, work=work, say=say, stages=stages
    )
    say("heads: making and embedding examinations that the backbone has not seen")
    engine = Engine(LoadedModel(_draft(), backbone, ()))
    made = partial(_bags, engine, sizes.bags, seed=seed + 1, work=work, processes=processes)
    bags = _kept_bags(work / "bags.npz", made)
    found = cross_validate(
        bags, seed=seed, seeds=1, prevalence=PREVALENCE, measured_on="generated phantoms, out of fold"
    )
    say(f"heads: AUROC {found.report['auroc']['pooled']:.3f} out of fold, {found.report['seconds']} s")
    write_model(out, manifest=_manifest(found, bags, seed=seed), backbone=backbone, heads=found.heads)
    (work / "report.json").write_text(json.dumps(found.report, indent=2) + "\n")
    tested = cohort(sizes.test, seed=seed + 2, work=work, processes=processes)
    return {"out_of_fold": found.report, "held_out": measure(out, tested)}


def _bags(engine: Engine, exams: int, *, seed: int, work: Path, processes: int) -> Bags:
    return embedded_bags(cohort(exams, seed=seed, work=work, processes=processes), engine, name=f"phantom-{seed}")


def _kept_bags(path: Path, make: Callable[[], Bags]) -> Bags:
    if not path.exists():
        make().save(path)
    return load(path)


def measure(folder: Path, exams: Sequence[ExamFrames]) -> dict[str, Any]:
    """What a model folder achieves on phantom examinations: ranking, its triage point, and where it looks.

    `hit_at_3`: share of positive examinations of which one of the three frames with most attention shows blood.
    """
    engine = Engine(read_model(folder))
    scores = [engine.score(engine.embed(exam.frames)) for exam in exams]
    y = np.array([int(exam.positive) for exam in exams])
    logits = np.array([score.logit for score in scores])
    flags = np.array([engine.manifest.triage.suspected(score.probability) for score in scores])
    sensitivity, specificity = sensitivity_specificity(y, flags)
    hits = [
        _hit(exam.keyframes, score.attention) for exam, score in zip(exams, scores, strict=True) if exam.keyframes.any()
    ]
    return {
        "n": len(y),
        "n_positive": int(y.sum()),
        "auroc": auroc(y, logits),
        "pr_auc": pr_auc(y, logits),
        "sensitivity": sensitivity,
        "sensitivity_interval": clopper_pearson(int(flags[y == 1].sum()), int(y.sum())),
        "specificity": specificity,
        "hit_at_3": float(np.mean(hits)) if hits else None,
        "auroc_by_grade": {
            str(grade): auroc(y[kept], logits[kept])
            for grade in range(1, 5)
            if (kept := np.array([exam.grade in (0, grade) for exam in exams])).any() and y[kept].any()
        },
    }


def _hit(keyframes: NDArray[np.bool_], attention: NDArray[np.float32]) -> bool:
    return bool(keyframes[np.argsort(-attention, kind="stable")[:3]].any())


def _draft() -> Manifest:
    """A manifest without results, for an engine that only embeds."""
    return Manifest(
        name="phantom demo",
        version="1",
        created=datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - no Django here
        licence="Apache-2.0",
        architecture=ARCHITECTURE,
        head_kind="gated",
        members=0,
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        input_size=INPUT_SIZE,
        frame_budget=FRAME_BUDGET,
        backbone_digest="",
        head_digest="",
        trained_on=TrainedOn("phantoms", DESCRIPTION, "", 0, 0),
        calibration=Calibration(1.0, 0.0),
        operating_points={},
        triage_point="target_0.90",
    )


def _manifest(found: CrossValidation, bags: Bags, *, seed: int) -> Manifest:
    patients = len(set(bags.groups.tolist()))
    trained_on = TrainedOn("phantoms", f"{DESCRIPTION} Seed {seed}.", bags.digest, patients, int(bags.y.sum()))
    return replace(
        _draft(), trained_on=trained_on, calibration=found.calibration, operating_points=found.operating_points
    )


def sizes_from(options: dict[str, int | None]) -> Sizes:
    """Sizes with those that were asked for replaced."""
    return Sizes(**{**asdict(Sizes()), **{key: value for key, value in options.items() if value is not None}})
