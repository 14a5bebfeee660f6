"""The commands `python -m training crossval` and `python -m training demo-model`."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any, TextIO
from zipfile import BadZipFile

import numpy as np

from inference.core.manifest import BACKBONE, HEAD_KINDS, BadModel
from training.core.bags import Bags, load, load_train_masks, make_bags
from training.core.crossval import RECIPES, CrossValidation, Progress, cross_validate, make_splits
from training.core.image_bags import BagTable, embed_folders, read_table
from training.core.in_use import NO_PREVALENCE, checked_prevalence
from training.core.report import write_report
from training.core.report_shapes import Report, ReportMeasure
from training.core.splits import TooFewCases

DEMO_MODEL = Path(__file__).resolve().parents[1] / "inference" / "demo_model"


def crossval(argv: list[str]) -> int:
    """Cross-validate bags of pictures or of vectors; 0, or 2 with one line of reason."""
    options = _crossval_parser().parse_args(argv)
    try:
        validation = _of_features(options) if options.features else _of_pictures(options)
    except (ValueError, OSError, BadModel, BadZipFile) as error:
        _print(f"crossval: {error}. Nothing was written.", sys.stderr)
        return 2
    write_report(options.out, report=validation.report, predictions=validation.predictions)
    shutil.rmtree(_fits_folder(options), ignore_errors=True)
    _print(summary(validation.report))
    _print(f"Wrote report.json, predictions.csv, roc.png and pr.png to {options.out}. Research use only.")
    return 0


def _fits_folder(options: argparse.Namespace) -> Path:
    """Where heads are written until the report is there; the same command goes on from them after a kill."""
    out: Path = options.out
    return out / "fits"


def _crossval_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training crossval", description="Patient-level cross-validation.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bags", type=Path, help="CSV with a row for each bag: bag, LABEL, GROUP, perhaps FOLD")
    source.add_argument("--features", type=Path, help="npz of vectors: instances, bag_index, y, perhaps train_masks")
    parser.add_argument("--images", type=Path, help="folder with a folder of pictures for each bag")
    parser.add_argument("--label", help="column of the CSV with 0 or 1")
    parser.add_argument("--group", default="patient", help="column whose rows stay together (default: patient)")
    parser.add_argument("--twins", help="column whose rows stay together too, where it is not empty: linked patients")
    parser.add_argument("--fold", help="column with a fixed fold; else folds are drawn by the seed")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument("--head", choices=HEAD_KINDS, default="gated")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="fontanelle")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prevalence", type=_prevalence, help="share of positives where the model will be used")
    parser.add_argument("--backbone", type=Path, default=DEMO_MODEL / BACKBONE, help="safetensors of a ResNet-50")
    parser.add_argument("--cache", type=Path, help="folder for embeddings (default: OUT/embeddings)")
    return parser


def _prevalence(text: str) -> float:
    try:
        return checked_prevalence(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is none: {NO_PREVALENCE}") from error


def _of_features(options: argparse.Namespace) -> CrossValidation:
    masks = load_train_masks(options.features)
    return _validated(load(options.features), options, assigned=None, train_masks=masks)


def _of_pictures(options: argparse.Namespace) -> CrossValidation:
    if not options.images or not options.label:
        raise ValueError("--bags needs --images and --label")
    table = read_table(options.bags, label=options.label, group=options.group, fold=options.fold, twins=options.twins)
    _check_folds(table, options)
    return _validated(_embedded(table, options), options, assigned=table.folds, train_masks=None)


def _check_folds(table: BagTable, options: argparse.Namespace) -> None:
    """Folds that cannot be are refused before minutes of embedding, and before anything is written."""
    empty = [np.zeros((0, 1), dtype=np.float16)] * len(table.y)
    bags = make_bags(empty, table.y, groups=table.groups, uids=table.names)
    for split in make_splits(bags, folds=options.folds, seed=options.seed, assigned=table.folds):
        for part, name in ((split.train, "all but"), (split.test, "only")):
            if len(set(bags.y[part].tolist())) < 2:
                raise TooFewCases(f"{name} fold {split.fold} has one class alone")


def _embedded(table: BagTable, options: argparse.Namespace) -> Bags:
    from training.demo_model.build import embedding_engine

    return embed_folders(
        table,
        options.images,
        embed=embedding_engine(options.backbone).embed,
        cache=options.cache or options.out / "embeddings",
        backbone=options.backbone,
    )


def _validated(bags: Bags, options: argparse.Namespace, **splits: Any) -> CrossValidation:
    return cross_validate(
        bags,
        recipe=options.recipe,
        head=options.head,
        folds=options.folds,
        seed=options.seed,
        prevalence=options.prevalence,
        measured_on=f"{(options.bags or options.features).name}, out of fold",
        progress=_ProgressLine(),
        work=_fits_folder(options),
        **splits,
    )


def _print(line: str, stream: TextIO | None = None) -> None:
    out = stream or sys.stdout
    out.write(line + "\n")
    out.flush()


class _ProgressLine:
    """A line on a terminal that is written over; silence elsewhere."""

    def __init__(self) -> None:
        self.last_write = 0.0

    def __call__(self, progress: Progress) -> None:
        if sys.stderr.isatty() and time.monotonic() - self.last_write > 0.5:
            self.last_write = time.monotonic()
            left = f"{progress.eta_seconds:.0f} s left"
            sys.stderr.write(f"\r{progress.fraction:4.0%} {progress.message}, {left}    ")


def summary(report: Report) -> str:
    """A report in a few lines."""
    lines = [
        f"{report['n']} bags, {report['n_positive']} positive, recipe {report['recipe']}, "
        f"{report['seconds']} s ({report['cpu_seconds']} s CPU)"
    ]
    named = {"auroc": report["auroc"], "pr_auc": report["pr_auc"], "accuracy": report["accuracy"]}
    for point, reached in report["operating_points"].items():
        named |= {f"{point} sensitivity": reached["sensitivity"], f"{point} specificity": reached["specificity"]}
    return "\n".join(lines + [_line(name, value) for name, value in named.items()])


def _line(name: str, value: ReportMeasure) -> str:
    low, high = (_number(end) for end in value["interval"])
    mean, sd = _number(value["mean"]), _number(value["sd"])
    return f"{name:24} {mean} ± {sd} over folds; pooled {_number(value['pooled'])} ({low} to {high})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def demo_model(argv: list[str]) -> int:
    """Train the demo model on phantoms; prints what it measured, and writes the model card where one is asked for."""
    from training.demo_model.build import Parts, sizes_from, train_demo
    from training.demo_model.model_card import write_card

    options = _demo_parser().parse_args(argv)
    began = time.monotonic()
    sizes = {"bags": options.exams, "test": options.test_exams, "backbone": options.backbone_exams}
    parts = Parts(
        seed=options.seed,
        sizes=sizes_from(sizes | {"hard": options.hard_exams}),
        work=options.work,
        processes=options.processes,
        say=lambda line: _print(f"{time.monotonic() - began:7.0f} s  {line}"),
    )
    measurements = train_demo(options.out, parts)
    _print(summary(measurements["out_of_fold"]))
    for kind, figures in measurements["held_out"].items():
        for name, value in figures.items():
            _print(f"held out, {kind:22} {name:22} {value}")
    if options.card:
        write_card(options.card, options.out, measurements)
    _print(f"Wrote {options.out}. Trained on phantoms only: it means nothing for a person. Research use only.")
    return 0


def _demo_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training demo-model", description="Train the demo model.")
    parser.add_argument("--out", type=Path, required=True, help="the model folder")
    parser.add_argument("--card", type=Path, help="the model card, FILE.md")
    parser.add_argument("--seed", type=int, default=4101)
    parser.add_argument("--exams", type=int, help="examinations for the heads")
    parser.add_argument("--hard-exams", type=int, help="the same, of the benchmark's kind")
    parser.add_argument("--backbone-exams", type=int, help="examinations for the backbone")
    parser.add_argument("--test-exams", type=int, help="held-out examinations")
    parser.add_argument("--work", type=Path, default=Path("var/demo-model"), help="what is kept between runs")
    parser.add_argument("--processes", type=int, default=2)
    return parser
