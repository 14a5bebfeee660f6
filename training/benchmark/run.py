"""`python -m training benchmark`: both recipes on neophantom-v1 and every figure of docs/benchmark.md.

Each leg is measured once and kept in the work folder, with the CPU seconds that it took; a stopped run goes on at the
leg, the draw and the file where it was. All that a leg needs is made from seeds, but for the other ultrasound that the
paper's recipe is pretrained on and the public tables, whose folders are named on the command line.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from common.atomic_file import replacing
from inference.core.manifest import HEAD_KINDS, BadModel, file_digest
from inference.core.network import BagHead
from inference.core.weights import save_backbone
from training.benchmark import mil_datasets
from training.benchmark.cohort_frames import CohortFrames, cohort_truth, make_frames
from training.benchmark.contrast_search import fit_draw, paper_backbone
from training.benchmark.draws import DRAWS, Draw, draw, exchanged
from training.benchmark.feature_cache import FeatureCache, Half
from training.benchmark.page import write_page
from training.benchmark.paired_comparison import paired_difference, paper_predictions
from training.benchmark.paper_recipe import paper_frames, predict
from training.benchmark.threshold_simulation import matched, simulate
from training.core.bags import Bags
from training.core.crossval import CrossValidation, cross_validate, deployed_rules
from training.core.heads import one_thread
from training.core.image_bags import embed_folders, pictures_of, read_table
from training.core.metrics import Floats, auroc, clopper_pearson, pr_auc
from training.core.predictions import Prediction, read_predictions, write_predictions
from training.core.report import build_report
from training.core.report_shapes import Report, ReportFacts
from training.demo_model.build import embedding_engine
from training.phantom.neophantom import FROZEN_DB, Cohort, plan_digest
from training.pretraining.methods import METHODS, Unlabelled, pretrain

V1 = Cohort()
UNLABELLED = Cohort(seed=5001, infants=220, grades=(6, 3, 2, 1), bleed_db=9.0)
"""Other infants, for pretraining without labels; as few of them bleed as in life."""
REGENERATED = (
    Cohort(seed=7002, infants=800, grades=(200, 100, 60, 40)),
    Cohort(seed=7003, infants=372),
    Cohort(seed=7004, infants=372),
)
"""New infants for the finished ensemble, rich in blood: sensitivity is what they are for."""
VECTOR_COHORTS = 1000
TOP = 3
SEEN = paper_frames()
"""Both recipes see the same eight of an infant's sixteen frames."""


@dataclass(frozen=True)
class Answer:
    """One recipe over the five draws: its predictions, and what was measured of them."""

    predictions: list[Prediction]
    report: Report


def _answer(recipe: str, predictions: list[Prediction]) -> Answer:
    facts: ReportFacts = {"recipe": recipe, "measured_on": "neophantom-v1, five draws"}
    return Answer(predictions, build_report(predictions, facts=facts, seed=0))


class Benchmark:
    """Everything that the legs share, each made when it is first asked for."""

    def __init__(self, cache: FeatureCache, *, images: Path, tables: Path | None = None) -> None:
        self.cache, self.images, self.tables = cache, images, tables
        self.truth: CohortFrames = cohort_truth(V1)
        self.draws: list[Draw] = [draw(self.truth.grade, self.truth.groups, number=number) for number in range(DRAWS)]

    @cached_property
    def paper(self) -> Answer:
        """The paper's recipe on the five draws."""
        path = self.cache.work / "predictions-paper.csv"
        if not path.exists():
            backbone = paper_backbone(self.images, self.cache.work, say=self.cache.say)
            features = self.cache.trunk(V1, backbone)
            fits, logits = [], []
            for drawn in self.draws:
                fits.append(fit_draw(self.cache, backbone, features, cohort=V1, number=drawn.number))
                logits.append(predict(fits[-1].network, features, drawn.test))
                self.cache.say(f"paper, draw {drawn.number}: epoch {fits[-1].best_epoch + 1}")
            rows = paper_predictions(fits, logits, self.draws, self.truth.y, self.truth.groups)
            write_predictions(path, rows)
        predictions = read_predictions(path)
        return _answer("paper", predictions)

    @cached_property
    def backbone(self) -> Path:
        """Pretrained by made-up bleeds on other infants' frames, without any label."""
        path = self.cache.work / "fontanelle-backbone.safetensors"
        if not path.exists():
            self.cache.say("the backbone is pretrained on infants who belong to no cohort")
            frames = self.cache.frames(UNLABELLED)
            video = np.repeat(np.arange(len(frames)), frames.shape[1])
            network = pretrain(
                Unlabelled(frames.reshape(-1, *frames.shape[2:]), video),
                method="anomaly",
                seed=0,
                stages=METHODS["anomaly"],
                checkpoint=self.cache.work / "fontanelle-backbone.checkpoint",
            )
            save_backbone(path, network)
        return path

    def embeddings(self, cohort: Cohort) -> Half:
        """The frames of a cohort that both recipes see, embedded, [M, N, D]."""
        engine = embedding_engine(self.backbone)
        name = f"{file_digest(self.backbone)[:12]}-{len(SEEN)}"
        return self.cache.embeddings(cohort, name=name, embed=engine.embed, seen=SEEN)

    @cached_property
    def bags(self) -> Bags:
        """The cohort's bags with the keyframes that annotators would have marked."""
        keyframes = np.where(self.cache.keyframes(V1)[:, SEEN], 1, -1).astype(np.int8)
        return Bags(
            embeddings=list(self.embeddings(V1)),
            y=self.truth.y,
            groups=self.truth.groups,
            uids=np.array([f"infant-{number:04d}" for number in range(V1.infants)]),
            keyframes=list(keyframes),
        )

    def noisy(self, drawn: Draw, *, keyframes: bool = True) -> Bags:
        """The bags as a draw's fitting sees them."""
        wrong = exchanged(self.truth.y, drawn.train, seed=drawn.number)
        return replace(self.bags, fit_y=wrong, keyframes=self.bags.keyframes if keyframes else None)

    def validated(self, drawn: Draw, *, head: str, keyframes: bool = True, seeds: int | None = None) -> CrossValidation:
        """One draw: heads, calibration and thresholds from the 85 % that is not test, measured on the test part."""
        inside = np.ones((1, 1, V1.infants), dtype=np.bool_)
        inside[..., drawn.test] = False
        return cross_validate(
            self.noisy(drawn, keyframes=keyframes),
            head=head,
            seed=drawn.number,
            seeds=seeds,
            train_masks=inside,
            measured_on="neophantom-v1",
        )

    @cached_property
    def fontanelle(self) -> list[CrossValidation]:
        """Our recipe on the five draws."""
        validations = []
        for drawn in self.draws:
            validations.append(self.validated(drawn, head="fontanelle"))
            self.cache.say(f"fontanelle, draw {drawn.number}: AUROC {validations[-1].report['auroc']['pooled']:.3f}")
        return validations

    @cached_property
    def answer(self) -> Answer:
        """Our recipe's answers over the five draws."""
        predictions = over_draws(self.fontanelle)
        return _answer("fontanelle", predictions)

    @property
    def ensemble(self) -> list[BagHead]:
        """The heads of all draws."""
        return [head for validation in self.fontanelle for head in validation.heads]


def over_draws(validations: Sequence[CrossValidation]) -> list[Prediction]:
    """The predictions of one cross-validation a draw, numbered by draw."""
    return [
        replace(row, repeat=number) for number, validation in enumerate(validations) for row in validation.predictions
    ]


@torch.inference_mode()
def ensemble_output(heads: Sequence[BagHead], embeddings: Half) -> tuple[Floats, Floats]:
    """Mean logit [M] and mean attention [M, N] of heads over bags of equally many frames [M, N, D]."""
    bags = torch.from_numpy(embeddings).float()
    mask = torch.ones(bags.shape[:2], dtype=torch.bool)
    outputs = [head.eval()(bags, mask) for head in heads]
    logit = torch.stack([output.logit for output in outputs]).double().mean(dim=0).numpy()
    return logit, torch.stack([output.attention for output in outputs]).double().mean(dim=0).numpy()


# ── the legs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def leg_paper(bench: Benchmark) -> dict[str, Any]:
    return {**bench.paper.report}


def leg_embeddings(bench: Benchmark) -> dict[str, Any]:
    """What it costs to make the bags: here the pictures are embedded, if they are not yet."""
    return {"bags": len(bench.bags), "frames": sum(map(len, bench.bags.embeddings)), "digest": bench.bags.digest}


def leg_fontanelle(bench: Benchmark) -> dict[str, Any]:
    write_predictions(bench.cache.work / "predictions-fontanelle.csv", bench.answer.predictions)
    seconds = [validation.report["seconds"] for validation in bench.fontanelle]
    return {**bench.answer.report, "seconds_by_draw": seconds}


def leg_difference(bench: Benchmark) -> dict[str, Any]:
    return paired_difference(bench.answer.predictions, bench.paper.predictions)


def leg_keyframes(bench: Benchmark) -> dict[str, Any]:
    """Share of positive test studies of which one of the three frames with most attention is a keyframe."""
    shown = np.stack([marks == 1 for marks in bench.bags.keyframes or ()])
    hits: dict[str, list[bool]] = {"I": [], "II to IV": []}
    for validation, drawn in zip(bench.fontanelle, bench.draws, strict=True):
        tested = drawn.test[bench.truth.y[drawn.test] == 1]
        _, attention = ensemble_output(validation.heads, np.stack([bench.bags.embeddings[index] for index in tested]))
        top = np.argsort(-attention, axis=1, kind="stable")[:, :TOP]
        hit = np.take_along_axis(shown[tested], top, axis=1).any(axis=1)
        for index, shows_blood in zip(tested.tolist(), np.atleast_1d(hit), strict=True):
            if shown[index].any():
                hits["I" if bench.truth.grade[index] == 1 else "II to IV"].append(bool(shows_blood))
    return {
        grade: {"hits": sum(rows), "n": len(rows), "interval": clopper_pearson(sum(rows), len(rows))}
        for grade, rows in hits.items()
    }


def leg_heads(bench: Benchmark) -> dict[str, Any]:
    """Every head on the same bags, one seed: out of the inner folds it would be chosen by, and on the test parts."""
    kinds = [(kind, True) for kind in HEAD_KINDS] + [("fontanelle", False)]
    rows = {}
    for kind, keyframes in kinds:
        validations = [bench.validated(drawn, head=kind, keyframes=keyframes, seeds=1) for drawn in bench.draws]
        predictions = over_draws(validations)
        y, logit = (np.array([getattr(row, name) for row in predictions]) for name in ("y", "logit"))
        name = kind if keyframes else f"{kind}, no keyframes"
        rows[name] = {
            "inner": float(np.mean([validation.report["inner_auroc"] for validation in validations])),
            "auroc": auroc(y, logit),
            "pr_auc": pr_auc(y, logit),
        }
        bench.cache.say(f"{name}: inner {rows[name]['inner']:.3f}, test {rows[name]['auroc']:.3f}")
    return rows


def leg_vectors(bench: Benchmark) -> dict[str, Any]:
    """A thousand cohorts of scores like ours: does a rule keep its promise?"""
    path = bench.cache.work / "predictions-fontanelle.csv"
    scores = matched(path)
    return {"scores": asdict(scores), "rules": simulate(scores, cohorts=VECTOR_COHORTS)}


def leg_regenerated(bench: Benchmark) -> dict[str, Any]:
    """The finished ensemble, with its frozen thresholds, on infants who are new in every way."""
    calibration, points = deployed_rules(bench.answer.predictions, bench.answer.report)
    rows = {}
    for cohort in REGENERATED:
        logit, _ = ensemble_output(bench.ensemble, bench.embeddings(cohort))
        y = cohort_truth(cohort).y
        scores = np.array([calibration.probability(value) for value in logit])
        row: dict[str, Any] = {"n": len(y), "n_positive": int(y.sum()), "auroc": auroc(y, logit)}
        for name, point in points.items():
            flags = scores >= point.threshold
            hits = int(flags[y == 1].sum())
            row[name] = {
                "sensitivity": hits / int(y.sum()),
                "interval": clopper_pearson(hits, int(y.sum())),
                "specificity": float(1 - flags[y == 0].mean()),
            }
        rows[str(cohort.seed)] = row
    return rows


def leg_devices(bench: Benchmark) -> dict[str, Any]:
    """Fit where the device tells the label in 85 of 100 infants; test where it does, and where it tells the opposite.

    Infants are left out of v1 until that is so, in the fitting and in the test parts alike.
    """
    agree: list[float] = []
    oppose: list[float] = []
    for drawn in bench.draws:
        rng = np.random.default_rng((drawn.number, 85))
        fitted = _tied(bench.truth, drawn.development, rng, against=False)
        chosen = np.sort(np.concatenate([fitted, drawn.test]))
        validation = _fit_some(bench, drawn, chosen)
        rows = {row.uid: row.logit for row in validation.predictions}
        for against, aurocs in ((False, agree), (True, oppose)):
            tested = _tied(bench.truth, drawn.test, rng, against=against)
            aurocs.append(auroc(bench.truth.y[tested], np.array([rows[bench.bags.uids[index]] for index in tested])))
    return {"with": agree, "against": oppose, "difference": float(np.mean(agree) - np.mean(oppose))}


def _tied(truth: CohortFrames, indices: NDArray[np.int64], rng: np.random.Generator, *, against: bool) -> Any:
    """Infants of `indices` left when in each class 85 % are to come from its own pair of devices."""
    chosen = []
    for label in (0, 1):
        inside = indices[truth.y[indices] == label]
        own = (truth.device[inside] < 2) == ((label == 1) != against)
        most, few = inside[own], inside[~own]
        chosen += [most, rng.choice(few, min(len(few), round(len(most) * 15 / 85)), replace=False)]
    return np.sort(np.concatenate(chosen))


def _fit_some(bench: Benchmark, drawn: Draw, chosen: NDArray[np.int64]) -> CrossValidation:
    bags = bench.noisy(drawn)
    some = Bags(
        embeddings=[bags.embeddings[index] for index in chosen],
        y=bags.y[chosen],
        groups=bags.groups[chosen],
        uids=bags.uids[chosen],
        fit_y=bags.fitted_on[chosen],
        keyframes=[bags.keyframes[index] for index in chosen] if bags.keyframes else None,
    )
    inside = ~np.isin(chosen, drawn.test)
    return cross_validate(some, head="fontanelle", seed=drawn.number, train_masks=inside[None, None])


def leg_captions(bench: Benchmark) -> dict[str, Any]:
    """The first draw's test part as it is, and rendered again without any text burned in."""
    drawn, validation = bench.draws[0], bench.fontanelle[0]
    plain = replace(V1, caption_rate=0.0)
    folder = bench.cache.work / f"frames-{V1.seed}-{FROZEN_DB:g}dB-uncaptioned-test"
    numbers = drawn.test.tolist()
    chunks = make_frames(plain, folder, numbers=numbers, processes=bench.cache.processes, say=bench.cache.say)
    frames = np.concatenate([np.load(path)["frames"] for path in chunks])  # [M, N, S, S]
    engine = embedding_engine(bench.backbone)
    frames = frames[:, SEEN]
    bare = engine.embed(frames.reshape(-1, *frames.shape[2:])).reshape(*frames.shape[:2], -1)
    y = bench.truth.y[drawn.test]
    shown, _ = ensemble_output(validation.heads, np.stack([bench.bags.embeddings[index] for index in drawn.test]))
    masked, _ = ensemble_output(validation.heads, bare)
    return {
        "with_text": auroc(y, shown),
        "without": auroc(y, masked),
        "changed": int((np.abs(shown - masked) > 1e-6).sum()),
    }


def leg_lung(bench: Benchmark) -> dict[str, Any]:
    """Real lung videos in their given folds: is there more in the embeddings than in the mean and spread of pixels?

    The folder of other ultrasound must hold a bags.csv (bag, patient, abnormal, fold) for this.
    """
    table = read_table(bench.images / "bags.csv", label="abnormal", group="patient", fold="fold")
    engine = embedding_engine(bench.backbone)
    cache = bench.cache.work / "lung"
    bags = embed_folders(table, bench.images, embed=engine.embed, cache=cache, backbone=bench.backbone)
    plain = replace(bags, embeddings=[_brightness(bench.images / name) for name in table.names])
    rows: dict[str, Any] = {"n": len(bags), "n_positive": int(bags.y.sum())}
    answers = {}
    for name, inputs, head in (
        ("fontanelle", bags, "fontanelle"),
        ("mean pooling", bags, "mean"),
        ("mean and SD of pixels", plain, "mean"),
    ):
        validation = cross_validate(inputs, head=head, assigned=table.folds)
        answers[name] = validation.predictions
        rows[name] = {key: validation.report[key] for key in ("auroc", "pr_auc")}
    for name in ("mean pooling", "mean and SD of pixels"):
        rows[name]["difference"] = paired_difference(answers["fontanelle"], answers[name])["auroc"]
    return rows


def leg_classic(bench: Benchmark) -> dict[str, Any]:
    """Public tables with published accuracies, by the publication's protocol."""
    if bench.tables is None:
        raise ValueError("the leg classic needs a folder of Musk1.npz and Elephant.npz")
    return mil_datasets.measure(bench.tables, bench.cache.work, say=bench.cache.say)


def _brightness(folder: Path) -> NDArray[np.float32]:
    """Mean and standard deviation of the pixels of each frame, [N, 2]."""
    frames = [np.asarray(Image.open(path).convert("L"), dtype=np.float32) for path in pictures_of(folder)]
    return np.array([(frame.mean(), frame.std()) for frame in frames], dtype=np.float32)


LEGS: dict[str, Callable[[Benchmark], dict[str, Any]]] = {
    "paper": leg_paper,
    "embeddings": leg_embeddings,
    "fontanelle": leg_fontanelle,
    "difference": leg_difference,
    "keyframes": leg_keyframes,
    "vectors": leg_vectors,
    "heads": leg_heads,
    "devices": leg_devices,
    "captions": leg_captions,
    "regenerated": leg_regenerated,
    "lung": leg_lung,
    "classic": leg_classic,
}


def measured(bench: Benchmark, name: str) -> dict[str, Any]:
    """A leg's figures and its cost, from the work folder if it was measured on this cohort and this backbone."""
    path = bench.cache.work / f"leg-{name}.json"
    stamp = {"plan": plan_digest(V1)}
    if path.exists() and (known := json.loads(path.read_text()))["stamp"] == stamp:
        return dict(known["found"])
    with _cost() as cost:
        figures = LEGS[name](bench)
    bench.cache.say(f"{name}: {cost['cpu_seconds']:.0f} CPU s")
    figures["cost"] = cost
    with replacing(path) as file:
        file.write((json.dumps({"stamp": stamp, "found": figures}, indent=1) + "\n").encode())
    return figures


@contextmanager
def _cost() -> Iterator[dict[str, float]]:
    """CPU and wall seconds of what is done inside, this process and its children."""
    began, cpu = time.monotonic(), _cpu_seconds()
    cost: dict[str, float] = {}
    yield cost
    cost["cpu_seconds"] = round(_cpu_seconds() - cpu, 1)
    cost["seconds"] = round(time.monotonic() - began, 1)


def _cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def main(argv: list[str]) -> int:
    """Measure what is not measured yet, then write the page; 0, or 2 with one line of reason."""
    options = _parser().parse_args(argv)
    options.work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:7.0f} s  {line}\n")
        sys.stdout.flush()

    try:
        bench = Benchmark(
            FeatureCache(options.work, options.processes, say), images=options.images, tables=options.tables
        )
        # One thread: the same numbers however many cores a machine has.
        with one_thread():
            legs = {name: measured(bench, name) for name in options.legs if name != "classic" or options.tables}
        write_page(options.out, legs, truth=bench.truth)
    except (ValueError, OSError, BadModel) as error:
        sys.stderr.write(f"benchmark: {error}. What was measured is kept in {options.work}.\n")
        return 2
    say(f"Wrote {options.out}. Generated phantoms: this says nothing of any person. Research use only.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training benchmark", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="other ultrasound that the paper's recipe begins on")
    parser.add_argument("--tables", type=Path, help="folder of Musk1.npz and Elephant.npz; else they are left out")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is made; may be emptied")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmark.md"))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--legs", nargs="+", choices=list(LEGS), default=list(LEGS))
    return parser
