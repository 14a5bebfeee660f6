"""docs/benchmark.md from what the legs measured: the table of goals, curves, pictures, costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.benchmark.cohort_frames import CohortFrames
from training.phantom.neophantom import FRAMES, FROZEN_DB, NAME, Cohort, plan_digest

TEMPLATE = Path(__file__).with_name("page_template.md")
FOLDER, RECORD = "benchmark", "freeze.json"
GRADES = 5
SHOWN = (4, 8, 14)
"""Places of the frames that the page shows: two coronal ones and a still."""
NOT_MEASURED = "Not measured yet."
TARGET, PAC = "target_0.90", "target_0.90_pac"
Legs = dict[str, dict[str, Any]]
"""What each leg measured, by the leg's name; `cost` among it."""


def write_page(out: Path, legs: Legs, *, truth: CohortFrames) -> None:
    """Write the page, and beside it a folder with its plots and pictures. A leg that is missing is said to be."""
    folder = out.parent / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if {"paper", "fontanelle"} <= legs.keys():
        _curves(folder, legs)
    _pictures(folder / "frames.png", truth)
    words = {
        "name": NAME,
        "frames": str(FRAMES),
        "contrast": f"{FROZEN_DB:g}",
        "plan": plan_digest(Cohort())[:16],
        "goals": _goals(legs),
        "frozen": _frozen(folder / RECORD),
        "costs": _costs(legs),
    }
    for name, (needs, text) in _SECTIONS.items():
        words[name] = text(legs) if needs <= legs.keys() else NOT_MEASURED
    out.write_text(Template(TEMPLATE.read_text()).substitute(words))


def _table(head: str, rows: Iterable[Iterable[str]]) -> str:
    columns = head.split("|")
    lines = [" | ".join(columns), "|".join(["---"] * len(columns)), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def _estimate(row: dict[str, Any], key: str = "pooled") -> str:
    low, high = row["interval"]
    return f"{row[key]:.3f} ({low:.3f} to {high:.3f})"


def _over_draws(row: dict[str, Any]) -> str:
    return f"{row['mean']:.3f} ± {row['sd']:.3f}"


# ── the goals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _goals(legs: Legs) -> str:
    return _table(
        "|measured|goal|the paper",
        [(name, text(legs), goal, paper) for name, needs, text, goal, paper in _ROWS if needs in legs],
    )


def _point(legs: Legs, recipe: str, kind: str) -> dict[str, Any]:
    return dict(legs[recipe]["operating_points"][TARGET][kind])


def _paper(legs: Legs) -> str:
    reached = _over_draws(_point(legs, "paper", "sensitivity"))
    return f"AUROC {_over_draws(legs['paper']['auroc'])}; sensitivity {reached} at target .90"


def _kept_promise(legs: Legs) -> str:
    rules = legs["vectors"]["rules"]
    mean, pac, paper = rules["aligned_0.90"], rules["aligned_0.90_pac"], rules["paper"]
    return (
        f"{_estimate(mean, 'sensitivity')}; PAC: {pac['kept']:.1%} of cohorts reach .90; "
        f"the paper's rule: {paper['sensitivity']:.3f}, {paper['kept']:.1%}"
    )


def _new_sensitivity(legs: Legs) -> str:
    return "; ".join(_estimate(row[TARGET], "sensitivity") for row in _cohorts(legs))


def _cohorts(legs: Legs) -> list[dict[str, Any]]:
    return [{"seed": seed, **row} for seed, row in legs["regenerated"].items() if seed.isdecimal()]


def _reached(legs: Legs) -> str:
    sensitivity, specificity = (_estimate(_point(legs, "fontanelle", kind)) for kind in ("sensitivity", "specificity"))
    return f"{sensitivity}; {specificity}"


def _calibration(legs: Legs) -> str:
    row = legs["fontanelle"]["calibration"]
    return f"slope {row['slope']:.2f}, intercept {row['intercept']:.2f}"


def _hits(legs: Legs) -> str:
    late, first = legs["keyframes"]["II to IV"], legs["keyframes"]["I"]
    share = {"share": late["hits"] / max(late["n"], 1), **late}
    return f"{_estimate(share, 'share')}, {late['n']} studies; grade I {first['hits']} of {first['n']}"


def _devices(legs: Legs) -> str:
    row = legs["devices"]
    agree, oppose = (float(np.mean(row[name])) for name in ("with", "against"))
    return f"ΔAUROC {row['difference']:+.3f} ({agree:.3f} with the labels, {oppose:.3f} against them)"


def _captions(legs: Legs) -> str:
    row = legs["captions"]
    return f"ΔAUROC {row['without'] - row['with_text']:+.4f} ({row['changed']} of 320 studies had text)"


def _lung(legs: Legs) -> str:
    row = legs["lung"]
    pixels = row["mean and SD of pixels"]["auroc"]
    return f"AUROC {_estimate(row['fontanelle']['auroc'])}; mean and SD of pixels {_estimate(pixels)}"


def _classic(table: str) -> Callable[[Legs], str]:
    return lambda legs: "; ".join(f"{row['mean']:.3f} ± {row['sd']:.3f}" for row in _classic_rows(legs, table))


def _classic_rows(legs: Legs, table: str = "") -> list[dict[str, Any]]:
    """What was measured of one table, or of all, ABMIL before gated ABMIL."""
    return [{"name": name, **row} for name, row in legs["classic"].items() if name != "cost" and table in name]


def _within(row: dict[str, Any]) -> str:
    """Whether a mean accuracy lies within the published margin, and by how much it misses it."""
    short = abs(row["mean"] - row["published"]) - row["margin"]
    return "yes" if short <= 0 else f"no, by {short:.3f}"


_ROWS: tuple[tuple[str, str, Callable[[Legs], str], str, str], ...] = (
    ("`paper` recipe, mean ± SD over draws", "paper", _paper, ".72 ± .03; < .85", ".72; .77"),
    (
        "`fontanelle` AUROC, pooled",
        "fontanelle",
        lambda f: _estimate(f["fontanelle"]["auroc"]),
        "≥ .81, stretch .85",
        ".72",
    ),
    (
        "paired difference in AUROC",
        "difference",
        lambda f: _estimate(f["difference"]["auroc"], "difference"),
        "lower end > 0",
        "",
    ),
    ("PR-AUC at 5.8 %", "fontanelle", lambda f: _estimate(f["fontanelle"]["pr_auc"]), "≥ .27, stretch .35", ".18"),
    (
        "sensitivity at target .90, 1,000 cohorts of scores",
        "vectors",
        _kept_promise,
        "reaches .90; ≥ 90 %",
        ".77 ± .16",
    ),
    ("the same, new infants' pictures", "regenerated", _new_sensitivity, "interval reaches .90", ""),
    (
        "SD of sensitivity over draws",
        "fontanelle",
        lambda f: f"{_point(f, 'fontanelle', 'sensitivity')['sd']:.3f}",
        "≤ .09",
        ".16",
    ),
    ("sensitivity; specificity at target .90", "fontanelle", _reached, "≥ .48, stretch .57", ".48 (at .77)"),
    ("calibration", "fontanelle", _calibration, ".8 to 1.25, within ± .2", "none"),
    ("a keyframe among the top 3 by attention, grades II to IV", "keyframes", _hits, "≥ .80", "none"),
    ("devices swapped against labels", "devices", _devices, "≤ .03", "none"),
    ("real lung videos, `abnormal`, given folds", "lung", _lung, "above the trivial baseline", "none"),
    ("burned-in text taken away", "captions", _captions, "≤ .01", "none"),
    ("Musk1: ABMIL; gated ABMIL", "classic", _classic("Musk1"), "within the published ±", ".892±.040; .900±.050"),
    ("Elephant: ABMIL; gated ABMIL", "classic", _classic("Elephant"), "within the published ±", ".868±.022; .857±.027"),
)

# ── the sections ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _frozen(record: Path) -> str:
    if not record.exists():
        return NOT_MEASURED
    levels = sorted(json.loads(record.read_text())["levels"], key=lambda row: float(row["bleed_db"]))
    return _table(
        "contrast, dB|AUROC of three draws|mean",
        [
            (f"{row['bleed_db']:g}", ", ".join(f"{auroc:.3f}" for auroc in row["auroc"]), f"{row['mean']:.3f}")
            for row in levels
        ],
    )


def _recipes(legs: Legs) -> str:
    paper, ours = legs["paper"], legs["fontanelle"]
    rows = [
        (f"{name}, {how}", text(paper[key]), text(ours[key]))
        for name, key in (("AUROC", "auroc"), ("PR-AUC", "pr_auc"))
        for how, text in (("mean ± SD over draws", _over_draws), ("pooled", _estimate))
    ]
    for point, kinds in ours["operating_points"].items():
        theirs = paper["operating_points"].get(point)
        rows += [
            (f"{kind}, {point}", _over_draws(theirs[kind]) if theirs else "", _over_draws(row))
            for kind, row in kinds.items()
        ]
    return _table("|`paper`|`fontanelle`", rows)


def _heads(legs: Legs) -> str:
    rows = [(name, row) for name, row in legs["heads"].items() if name != "cost"]
    return _table(
        "head|AUROC out of inner folds|AUROC on the test sets|PR-AUC",
        [
            (name, *(f"{row[key]:.3f}" for key in ("inner", "auroc", "pr_auc")))
            for name, row in sorted(rows, key=lambda row: -float(row[1]["inner"]))
        ],
    )


def _vectors(legs: Legs) -> str:
    scores, rules = legs["vectors"]["scores"], legs["vectors"]["rules"]
    like = ", ".join(f"{name} {scores[name]:.3f}" for name in ("auroc", "offset", "scale"))
    text = f"1,000 cohorts of scores like ours ({like}); true sensitivity from 2,000 new positives of each."
    return f"{text}\n\n" + _table(
        "rule|true sensitivity (95 % of cohorts)|cohorts that reach .90|SD over folds of 19|specificity",
        [
            (
                name,
                _estimate(row, "sensitivity"),
                f"{row['kept']:.1%}",
                f"{row['fold_sd']:.3f}",
                f"{row['specificity']:.3f}",
            )
            for name, row in rules.items()
        ],
    )


def _regenerated(legs: Legs) -> str:
    return _table(
        "seed|with blood|AUROC|target .90|target .90, PAC",
        [
            (
                row["seed"],
                f"{row['n_positive']} of {row['n']}",
                f"{row['auroc']:.3f}",
                *(
                    f"{_estimate(row[point], 'sensitivity')}; {row[point]['specificity']:.3f}"
                    for point in (TARGET, PAC)
                ),
            )
            for row in _cohorts(legs)
        ],
    )


def _lung_table(legs: Legs) -> str:
    row = legs["lung"]
    names = [name for name, value in row.items() if isinstance(value, dict) and "auroc" in value]
    return f"{row['n']} videos, {row['n_positive']} abnormal.\n\n" + _table(
        "|AUROC|PR-AUC|`fontanelle` less this",
        [
            (
                name,
                _estimate(row[name]["auroc"]),
                _estimate(row[name]["pr_auc"]),
                _estimate(row[name]["difference"], "difference") if "difference" in row[name] else "",
            )
            for name in names
        ],
    )


def _classic_table(legs: Legs) -> str:
    return _table(
        "table, head|accuracy, mean ± SD over repeats|each repeat|SD over folds|published|within its ±",
        [
            (
                row["name"],
                _over_draws(row),
                ", ".join(f"{repeat:.3f}" for repeat in row["repeats"]),
                f"{row['fold_sd']:.3f}",
                f"{row['published']:.3f} ± {row['margin']:.3f}",
                _within(row),
            )
            for row in _classic_rows(legs)
        ],
    )


_SECTIONS: dict[str, tuple[set[str], Callable[[Legs], str]]] = {
    "recipes": ({"paper", "fontanelle"}, _recipes),
    "heads": ({"heads"}, _heads),
    "vectors": ({"vectors"}, _vectors),
    "regenerated": ({"regenerated"}, _regenerated),
    "lung": ({"lung"}, _lung_table),
    "classic": ({"classic"}, _classic_table),
}


def _costs(legs: Legs) -> str:
    return _table(
        "leg|CPU minutes|minutes",
        [
            (name, *(f"{row['cost'][key] / 60:.1f}" for key in ("cpu_seconds", "seconds")))
            for name, row in legs.items()
            if "cost" in row
        ],
    )


def _curves(folder: Path, legs: Legs) -> None:
    from matplotlib.figure import Figure

    for name, axes in (("roc", ("1 - specificity", "sensitivity")), ("pr", ("recall (sensitivity)", "precision"))):
        figure = Figure(figsize=(4.5, 4.5), layout="constrained")
        plot = figure.add_subplot()
        for recipe, colour in (("paper", "C7"), ("fontanelle", "C0")):
            curves = legs[recipe]["curves"][name]
            for points in curves["per_fold"]:
                plot.plot(*np.array(points).T, color=colour, alpha=0.25, linewidth=0.8)
            plot.plot(*np.array(curves["pooled"]).T, color=colour, linewidth=2, label=recipe)
        plot.set_title("neophantom-v1, generated phantoms. Research use only.", fontsize=9)
        plot.set(xlabel=axes[0], ylabel=axes[1], xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        plot.legend(loc="lower right" if name == "roc" else "upper right")
        figure.savefig(folder / f"{name}.png", dpi=100, metadata={"Software": None})


def _pictures(path: Path, truth: CohortFrames) -> None:
    """One infant of each grade in a column, three frames of each."""
    from PIL import Image

    from training.phantom.neophantom import examination
    from training.phantom.prepared_frames import prepared_exam

    columns: list[NDArray[np.uint8]] = []
    for grade in range(GRADES):
        number = int(np.flatnonzero(truth.grade == grade)[0])
        frames = prepared_exam(examination(Cohort(), number), budget=FRAMES).frames
        columns.append(np.concatenate(list(frames[list(SHOWN)]), axis=0))
    Image.fromarray(np.concatenate(columns, axis=1)).resize((GRADES * 220, len(SHOWN) * 220)).save(path, optimize=True)
