"""The demo model: a backbone, heads and operating points learned from generated phantoms, and from nothing else.

Two kinds of phantom: those that a demo site shows, and those of the benchmark's kind, with more mimics and devices.
Each part is written to a work folder, so that a run goes on where it stopped: frames, backbone, embeddings, heads.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from common.atomic_file import replacing
from inference.core.engine import Engine
from inference.core.frame_selection import FRAME_BUDGET
from inference.core.manifest import Calibration, Manifest, TrainedOn
from inference.core.preprocess import INPUT_SIZE, PREPROCESSING
from inference.core.weights import LoadedModel, load_backbone, read_model, save_backbone, write_model
from training.core.bags import Bags, load, make_bags
from training.core.crossval import CrossValidation, cross_validate
from training.core.heads import fit_projection
from training.core.metrics import auroc, clopper_pearson, pr_auc, sensitivity_specificity
from training.core.splits import linked_groups
from training.phantom.neophantom import Cohort, examination
from training.phantom.prepared_frames import ExamFrames, Request, load_exams, prepared_exam, render, save_exams
from training.pretraining.loop import Stage, pictures, train_backbone
from training.pretraining.methods import METHODS, Unlabelled, pretrain

ARCHITECTURE, DIM = "resnet50", 2048
DESCRIPTION = "Generated phantoms only. It has seen no person, and its answer means nothing for one."
PREVALENCE = 0.058
"""Share of positives that the calibration is set to: that of the cohort which the product is made for."""
GRADES = ((1, 0), (0, 2), (0, 1), (3, 0), (0, 0), (1, 0), (0, 4), (0, 1), (2, 0), (0, 0))
"""Grades (right, left) of the backbone's examinations, over and over: rich in the small bleeds that are hard."""
HEAD_KIND = "fontanelle"
TRIAGE_POINT = "target_0.90_pac"
"""With confidence: thresholds are set on both kinds of phantom, and the demo shows the one that needs the lower."""
DEMO_KIND, HARD_KIND = "the demo's kind", "the benchmark's kind"
OWN_EVERY = 2
"""One in so many of the backbone's examinations serves to find the projection."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Stages:
    """Crops at full resolution first, since a bleed is small; whole frames last, since those are what is embedded."""

    made_up: tuple[Stage, ...] = METHODS["anomaly"]
    true: tuple[Stage, ...] = (
        Stage(steps=450, crop=64, side=64, batch=24, rate=1e-3),
        Stage(steps=80, crop=0, side=INPUT_SIZE, batch=12, rate=4e-4),
    )


@dataclass(frozen=True)
class Sizes:
    """How many phantom examinations each part gets, of the demo's kind and of the benchmark's.

    `full` of the backbone's have the size of a real scanner.
    """

    backbone: int = 190
    full: int = 12
    bags: int = 240
    test: int = 200
    hard: int = 372
    """Of the benchmark's kind, for the heads, and as many to test on; the backbone gets half as many."""


@dataclass(frozen=True)
class Parts:
    """The work folder of one demo model; `say` prints a line of progress."""

    seed: int
    sizes: Sizes
    work: Path
    processes: int
    say: Say

    def backbone_exams(self) -> list[ExamFrames]:
        """Examinations of infants who are in no bag: what the backbone learns from."""
        small = self.sizes.backbone
        requests = [
            Request(self.seed, index, size="small" if index < small else "full", grades=GRADES[index % len(GRADES)])
            for index in range(small + self.sizes.full)
        ]
        return self.rendered("backbone-frames", requests) + self.hard(self.seed, self.sizes.hard // 2)

    def cohort(self, exams: int, *, seed: int) -> list[ExamFrames]:
        """Examinations as a demo site's cohort draws them."""
        return self.rendered(f"cohort-{seed}", [Request(seed, index, positive_fraction=0.3) for index in range(exams)])

    def hard(self, seed: int, exams: int) -> list[ExamFrames]:
        """Examinations of the benchmark's kind, a third with blood, of infants who are in no benchmark."""
        return self.cached(f"hard-{seed}", lambda: hard_exams(seed, exams))

    def rendered(self, name: str, requests: Sequence[Request]) -> list[ExamFrames]:
        return self.cached(name, lambda: render(requests, budget=FRAME_BUDGET, processes=self.processes))

    def cached(self, name: str, make: Callable[[], list[ExamFrames]]) -> list[ExamFrames]:
        path = self.work / f"{name}.npz"
        if not path.exists():
            self.say(f"making {name}")
            save_exams(path, make())
        return load_exams(path)

    def backbone(self, exams: Sequence[ExamFrames], stages: Stages) -> nn.Module:
        """Trained on made-up bleeds in frames without labels, as in the benchmark; then on true bleeds."""
        path = self.work / "backbone.safetensors"
        if not path.exists():
            frames = np.concatenate([exam.frames for exam in exams])
            video = np.repeat(np.arange(len(exams)), [len(exam.frames) for exam in exams])
            pretrained = pretrain(
                Unlabelled(frames, video),
                method="anomaly",
                seed=self.seed,
                architecture=ARCHITECTURE,
                stages=stages.made_up,
                checkpoint=self.work / "made-up.checkpoint",
                progress=self._progress("made-up bleeds", stages.made_up),
            )
            trained = train_backbone(
                pictures(exams),
                stages.true,
                seed=self.seed,
                architecture=ARCHITECTURE,
                start=pretrained,
                checkpoint=self.work / "true.checkpoint",
                progress=self._progress("true bleeds", stages.true),
            )
            save_backbone(path, trained)
        return load_backbone(path, ARCHITECTURE)

    def _progress(self, what: str, stages: Sequence[Stage]) -> Callable[[int, float], None]:
        steps, recent = sum(stage.steps for stage in stages), deque[float](maxlen=25)

        def progress(step: int, loss: float) -> None:
            recent.append(loss)
            if (step + 1) % 25 == 0:
                self.say(f"backbone, {what}: step {step + 1} of {steps}, loss {np.mean(recent):.3f}")

        return progress

    def bags(self, name: str, exams: Sequence[ExamFrames], engine: Engine) -> Bags:
        """Embed examinations, or read what was embedded; frames that show blood are marked as readers would."""
        path = self.work / f"bags-{name}.npz"
        if not path.exists():
            self.say(f"embedding {name}")
            embedded_bags(exams, engine, name=name).save(path)
        return load(path)


def hard_exams(seed: int, exams: int) -> list[ExamFrames]:
    """Examinations by the rules of neophantom-v1 under another seed: a third with blood, half of it of grade I."""
    positives = exams // 3
    second, third, fourth = (round(positives * share) for share in (0.25, 0.15, 0.1))
    rules = Cohort(seed=seed, infants=exams, grades=(positives - second - third - fourth, second, third, fourth))
    return [prepared_exam(examination(rules, number), budget=FRAME_BUDGET) for number in range(exams)]


def embedding_engine(path: Path) -> Engine:
    """An engine that only embeds, from a backbone's safetensors; raises BadModel for anything else."""
    return Engine(LoadedModel(_draft(), load_backbone(path, ARCHITECTURE), ()))


def embedded_bags(exams: Sequence[ExamFrames], engine: Engine, *, name: str) -> Bags:
    """Embed each examination and mark its keyframes; twins share a group."""
    groups = linked_groups([exam.patient for exam in exams], [exam.twin_group for exam in exams])
    bags = make_bags(
        [engine.embed(exam.frames) for exam in exams],
        [int(exam.positive) for exam in exams],
        groups=[f"{name}:{group}" for group in groups],
        uids=[f"{name}-{number:04d}" for number in range(len(exams))],
    )
    return replace(bags, keyframes=[np.where(exam.keyframes, 1, -1).astype(np.int8) for exam in exams])


def joined(parts: Sequence[Bags]) -> Bags:
    """Several sets of bags as one."""
    return Bags(
        embeddings=[bag for part in parts for bag in part.embeddings],
        y=np.concatenate([part.y for part in parts]),
        groups=np.concatenate([part.groups for part in parts]),
        uids=np.concatenate([part.uids for part in parts]),
        keyframes=[marks for part in parts for marks in part.keyframes or ()],
    )


def train_demo(out: Path, parts: Parts, *, stages: Stages | None = None) -> dict[str, Any]:
    """Make the demo model folder OUT and measure it on phantoms of other seeds; returns the measurements."""
    parts.work.mkdir(parents=True, exist_ok=True)
    sizes, seed = parts.sizes, parts.seed
    examinations = parts.backbone_exams()
    backbone = parts.backbone(examinations, stages or Stages())
    engine = Engine(LoadedModel(_draft(), backbone, ()))
    own = parts.bags("backbone", examinations[::OWN_EVERY], engine)
    easy = parts.bags(f"cohort-{seed + 1}", parts.cohort(sizes.bags, seed=seed + 1), engine)
    hard = parts.bags(f"hard-{seed + 1}", parts.hard(seed + 1, sizes.hard), engine)
    bags = joined([easy, hard])
    validation = cross_validate(
        bags,
        head=HEAD_KIND,
        seed=seed,
        prevalence=PREVALENCE,
        measured_on="generated phantoms, out of fold",
        shared=fit_projection(own.embeddings, np.arange(len(own))),
        work=parts.work / "fits",
    )
    parts.say(f"heads: AUROC {validation.report['auroc']['pooled']:.3f} out of fold, {validation.report['seconds']} s")
    write_model(out, manifest=_manifest(validation, bags, seed=seed), backbone=backbone, heads=validation.heads)
    held_out = {
        DEMO_KIND: measure(out, parts.cohort(sizes.test, seed=seed + 2)),
        HARD_KIND: measure(out, parts.hard(seed + 2, sizes.hard)),
    }
    measurements = {"out_of_fold": validation.report, "held_out": held_out, "seed": seed, "sizes": asdict(sizes)}
    with replacing(parts.work / "report.json") as file:
        file.write((json.dumps(measurements, indent=2) + "\n").encode())
    return measurements


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
            str(grade): auroc(y[of_grade], logits[of_grade])
            for grade in range(1, 5)
            if (of_grade := np.array([exam.grade in (0, grade) for exam in exams])).any() and y[of_grade].any()
        },
    }


def _hit(keyframes: NDArray[np.bool_], attention: NDArray[np.float32]) -> bool:
    return bool(keyframes[np.argsort(-attention, kind="stable")[:3]].any())


def _draft() -> Manifest:
    """A manifest without results, for an engine that only embeds."""
    return Manifest(
        name="phantom demo",
        version="2",
        created=datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - no Django here
        licence="Apache-2.0",
        architecture=ARCHITECTURE,
        head_kind=HEAD_KIND,
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
        triage_point=TRIAGE_POINT,
    )


def _manifest(validation: CrossValidation, bags: Bags, *, seed: int) -> Manifest:
    patients = len(set(bags.groups.tolist()))
    trained_on = TrainedOn("phantoms", f"{DESCRIPTION} Seed {seed}.", bags.digest, patients, int(bags.y.sum()))
    return replace(
        _draft(),
        trained_on=trained_on,
        calibration=validation.calibration,
        operating_points=validation.operating_points,
    )


def sizes_from(options: dict[str, int | None]) -> Sizes:
    """Sizes with those that were asked for replaced."""
    return Sizes(**{**asdict(Sizes()), **{key: value for key, value in options.items() if value is not None}})
