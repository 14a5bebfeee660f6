"""The demo model's card: what it is, what it was made of, what it did, under the headings of CLAIM and TRIPOD+AI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

import torch

from inference.core.manifest import BACKBONE, HEAD, MANIFEST, Manifest, read_manifest
from inference.core.network import WIDTH

TEMPLATE = Path(__file__).with_name("model_card_template.md")
MEASURES = {"auroc": "AUROC", "pr_auc": "PR-AUC"}
POINTS = {"target_0.90": "target .90", "target_0.90_pac": "target .90 with 90 % confidence", "youden": "Youden's J"}


def write_card(out: Path, folder: Path, measured: Mapping[str, Any]) -> None:
    """Write the card of the model in FOLDER from what `train_demo` measured of it."""
    manifest = read_manifest(folder)
    report, sizes = measured["out_of_fold"], measured["sizes"]
    point = manifest.operating_points[manifest.triage_point]
    size = sum((folder / name).stat().st_size for name in (BACKBONE, HEAD, MANIFEST)) / 1e6
    words = {
        **{name: str(getattr(manifest, name)) for name in _PLAIN},
        "summary": _summary(manifest, report),
        "data": _data(sizes),
        "training": _training(sizes),
        "dim": str(manifest.embedding_dim),
        "width": str(WIDTH),
        "prevalence": f"{report['deployed']['prevalence']:.3f}",
        "megabytes": f"{size:.1f}",
        "n": str(report["n"]),
        "n_positive": str(report["n_positive"]),
        "out_of_fold": _out_of_fold(report),
        "held_out": _held_out(measured["held_out"]),
        "threshold": f"{point.threshold:.4f}",
        "promise": point.promise,
        "seed": str(measured["seed"]),
        "torch": torch.__version__.partition("+")[0],
        "snapshot": manifest.trained_on.snapshot,
    }
    out.write_text(Template(TEMPLATE.read_text()).substitute(words))


_PLAIN = (
    "name", "version", "preprocessing", "input_size", "frame_budget", "architecture", "members", "head_kind",
    "triage_point", "licence", "created", "backbone_digest", "head_digest",
)  # fmt: skip


def _summary(manifest: Manifest, report: Mapping[str, Any]) -> str:
    return (
        f"A {manifest.architecture} over the frames of one head ultrasound study and {manifest.members} "
        "multiple-instance heads that say how probable haemorrhage is and which frames say so. Trained and measured on "
        f"generated phantoms only. Out of fold: AUROC {_estimate(report['auroc'])}, sensitivity "
        f"{_estimate(report['operating_points']['target_0.90']['sensitivity'])} where .90 was the target."
    )


def _data(sizes: Mapping[str, int]) -> str:
    hard = sizes["hard"]
    return (
        f"Two kinds of generated examination. *The demo's*: {sizes['backbone']} small and {sizes['full']} of a "
        f"scanner's size for the backbone, {sizes['bags']} for the heads (three in ten with blood), {sizes['test']} "
        f"held out. *The benchmark's* (`neophantom-v1`'s rules under other seeds: more mimics, more devices): "
        f"{hard // 2}, {hard} and {hard}, a third with blood. None of them is in the benchmark. They are made from the "
        "seed and never stored."
    )


def _training(sizes: Mapping[str, int]) -> str:
    return (
        "The backbone first learned to find made-up bright patches in frames without any label, then where there is "
        "blood indeed, in frames of its own infants (AdamW, crops at full resolution, then whole frames). Each head: "
        "240 steps of AdamW, logits adjusted for how rare haemorrhage is, attention taught by keyframes, an "
        "exponential mean of the weights; the last step is kept, so that nothing is chosen on a result."
    )


def _out_of_fold(report: Mapping[str, Any]) -> str:
    rows = [(name, _estimate(report[key])) for key, name in MEASURES.items()]
    for key, name in POINTS.items():
        point = report["operating_points"][key]
        rows += [(f"{kind}, {name}", _estimate(point[kind])) for kind in ("sensitivity", "specificity")]
    calibration = report["calibration"]
    rows.append(("calibration", f"slope {calibration['slope']:.2f}, intercept {calibration['intercept']:.2f}"))
    return _table(("measure", "pooled (95 % interval)"), rows)


def _held_out(held_out: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for kind, row in held_out.items():
        low, high = row["sensitivity_interval"]
        grades = ", ".join(f"{grade}: {value:.3f}" for grade, value in row["auroc_by_grade"].items())
        rows.append(
            (
                kind,
                f"{row['n']} ({row['n_positive']})",
                f"{row['auroc']:.3f} ({grades})",
                f"{row['sensitivity']:.3f} ({low:.3f} to {high:.3f})",
                f"{row['specificity']:.3f}",
                f"{row['hit_at_3']:.3f}",
            )
        )
    head = ("phantoms", "studies (positive)", "AUROC (by grade)", "sensitivity at the triage point", "specificity")
    return _table((*head, "a frame with blood among the top three by attention"), rows)


def _estimate(row: Mapping[str, Any]) -> str:
    low, high = row["interval"]
    return f"{row['pooled']:.3f} ({low:.3f} to {high:.3f})"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows))
