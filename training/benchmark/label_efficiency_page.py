"""`python -m training labels-needed`: how many labels a strategy needs for the AUROC that random ones reach, as a page.

The cohort is made of rules and a seed (harder phantoms, as the benchmark's) and embedded once with the demo model's
backbone; frames and embeddings are kept in the work folder, so that a second run is minutes of small heads.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.atomic_file import replacing
from inference.core.engine import Engine
from inference.core.manifest import BACKBONE, BadModel, file_digest
from training.benchmark.cohort_frames import CHUNK, cohort_frames
from training.benchmark.label_efficiency import STRATEGIES, Plan, report, simulate
from training.core.bags import Bags, Embeddings, load, make_bags
from training.phantom.neophantom import NAME, Cohort

DEMO_MODEL = Path(__file__).resolve().parents[2] / "inference" / "demo_model"
COHORT = Cohort(seed=4107, grades=(48, 24, 14, 10), infants=512, bleed_db=16.0)
EXAMS = 384
LEAST_STEPS = 10


def main(argv: list[str]) -> int:
    """Simulate and write the page; 0, or 2 with one line of reason."""
    options = _parser().parse_args(argv)
    names = ("start", "step", "rounds", "repeats", "steps_of_fit", "seed")
    plan = Plan(**{name: getattr(options, name) for name in names})
    try:
        bags, source = _bags(options)
        _check(bags, plan)
        curves = simulate(bags, plan, say=_say)
    except (ValueError, OSError, BadModel) as error:
        sys.stderr.write(f"labels-needed: {error}. Nothing was written.\n")
        return 2
    options.out.parent.mkdir(parents=True, exist_ok=True)
    chosen = "--benchmark DIR " if options.benchmark else ""
    options.out.write_text(page(report(curves, plan), bags, source=source, chosen=chosen))
    _say(f"Wrote {options.out}. Research use only.")
    return 0


def _check(bags: Bags, plan: Plan) -> None:
    pool = round((1 - plan.test) * len(bags))
    if pool < plan.sizes[-1]:
        raise ValueError(f"a pool of {pool} studies cannot give {plan.sizes[-1]} labels; ask for fewer rounds or steps")
    if plan.steps_of_fit < LEAST_STEPS:
        raise ValueError(f"a head is fitted in {LEAST_STEPS} steps or more")
    if plan.repeats < 2:
        raise ValueError("an interval needs two repeats or more")


def _bags(options: argparse.Namespace) -> tuple[Bags, str]:
    """What is simulated on, and what that is called."""
    if options.features:
        return load(options.features), options.features.name
    if options.benchmark:
        from training.benchmark.feature_cache import FeatureCache
        from training.benchmark.run import Benchmark

        cache = FeatureCache(options.benchmark, options.processes, _say)
        bags = Benchmark(cache, images=options.benchmark).bags
        return bags, f"{NAME}, generated phantoms of which one in seventeen has blood"
    return phantoms(options), "generated phantoms"


def phantoms(options: argparse.Namespace) -> Bags:
    """The cohort's bags, from the work folder if they are there."""
    from training.demo_model.build import embedding_engine

    backbone = DEMO_MODEL / BACKBONE
    digest = file_digest(backbone)[:16]
    path = options.work / f"bags-{options.exams}-{digest}.npz"
    if not path.exists():
        folder, infants = options.work / f"frames-{options.exams}", range(options.exams)
        made = cohort_frames(COHORT, folder, numbers=infants, processes=options.processes, say=_say)
        engine = embedding_engine(backbone)
        _say(f"embedding {len(made.frames)} examinations")
        uids = [f"infant-{number:04d}" for number in infants]
        parts = [made.frames[start : start + CHUNK] for start in range(0, len(made.frames), CHUNK)]
        embeddings = [
            bag
            for at, part in enumerate(parts)
            for bag in _embedded(folder / f"embedded-{digest}-{at}.npy", part, engine)
        ]
        make_bags(embeddings, made.y.tolist(), groups=made.groups.tolist(), uids=uids).save(path)
    return load(path)


def _embedded(path: Path, frames: NDArray[np.uint8], engine: Engine) -> list[Embeddings]:
    """The embeddings of some examinations, from their file where a stopped run made them."""
    if not path.exists():
        made = np.stack([engine.embed(np.ascontiguousarray(exam)) for exam in frames])
        with replacing(path) as file:
            np.save(file, made)
    return list(np.load(path))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def page(figures: dict[str, Any], bags: Bags, *, source: str, chosen: str = "") -> str:
    """The result as Markdown."""
    plan, sizes = figures["plan"], figures["sizes"]
    rows = [_row(STRATEGIES[name][0], strategy) for name, strategy in figures["strategies"].items()]
    curves = [_curve(STRATEGIES[name][0], strategy) for name, strategy in figures["strategies"].items()]
    positive = int(bags.y.sum())
    return f"""# Labels needed

> Research use only. Measured on {source}: it shows that the machinery works, and says nothing about infants.

{len(bags)} examinations, {positive} with haemorrhage. In each of {plan["repeats"]} repeats {plan["test"]:.0%} of the
infants are set aside for testing (twins together). {plan["start"]} labels are drawn at random; then come
{plan["rounds"]} rounds of {plan["step"]}, chosen by the strategy from what is not labelled, a fifth of each round at
random as in the product. After each round the head is fitted anew and measured on the infants set aside. Intervals are
95 %, over repeats, with all strategies of a repeat drawn together.

## For the AUROC that {sizes[-1]} random labels reach ({figures["target"]:.3f})

| strategy | labels needed | of what random needs |
|---|---|---|
{chr(10).join(rows)}

"more" means: the target was not reached within {sizes[-1]} labels.

## AUROC by number of labels

| strategy | {" | ".join(str(size) for size in sizes)} |
|---|{"---|" * len(sizes)}
{chr(10).join(curves)}

Made by `python -m training labels-needed {chosen}{_asked(plan)}`; the same seed on the same machine gives the same
page.
"""


def _asked(plan: dict[str, Any]) -> str:
    names = {"start": "--start", "step": "--step", "rounds": "--rounds", "repeats": "--repeats", "seed": "--seed"}
    return " ".join(f"{option} {plan[name]}" for name, option in names.items())


def _row(label: str, figures: dict[str, Any]) -> str:
    return f"| {label} | {_told(figures['labels'], '{:.0f}')} | {_told(figures['share_of_random'], '{:.0%}')} |"


def _curve(label: str, figures: dict[str, Any]) -> str:
    return f"| {label} | " + " | ".join(_told(at, "{:.3f}") for at in figures["auroc"]) + " |"


def _told(estimate: dict[str, Any], form: str) -> str:
    value, *ends = ("more" if end is None else form.format(end) for end in (estimate["value"], *estimate["interval"]))
    return f"{value} ({ends[0]} to {ends[1]})"


def _parser() -> argparse.ArgumentParser:
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m training labels-needed", description=__doc__)
    parser.add_argument("--features", type=Path, help="npz of other bags: instances, bag_index, y, perhaps groups")
    parser.add_argument("--benchmark", type=Path, help="work folder of `benchmark`: simulate on neophantom-v1 instead")
    parser.add_argument("--out", type=Path, default=Path("docs/labels-needed.md"), help="the page")
    parser.add_argument("--work", type=Path, default=Path("var/labels-needed"), help="what is kept between runs")
    parser.add_argument("--exams", type=int, default=EXAMS, help="infants of the cohort that are used")
    parser.add_argument("--repeats", type=int, default=plan.repeats)
    parser.add_argument("--rounds", type=int, default=plan.rounds)
    parser.add_argument("--start", type=int, default=plan.start, help="labels drawn at random before the first round")
    parser.add_argument("--step", type=int, default=plan.step, help="labels in each round")
    parser.add_argument("--fit-steps", type=int, default=plan.steps_of_fit, dest="steps_of_fit", help="steps of a head")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--processes", type=int, default=2)
    return parser
