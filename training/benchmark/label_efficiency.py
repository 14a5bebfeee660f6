"""How many labels a strategy needs for the AUROC that random labels reach.

A pool of studies is labelled in rounds, as a site would: a few at random, then the strategy's choice by the head that
the labels so far have made, a fifth of each round at random as in the product. After each round the head is fitted
again and measured on studies that are in no pool. Every repeat draws pool and test anew, infants and twins whole, and
all strategies of a repeat start from the same labels, so that they are compared pair by pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.core import sampling
from training.core.bags import Bags
from training.core.heads import Fit, Indices, Projected, Projection, fit_head, fit_projection, outputs, project
from training.core.metrics import Floats, auroc

RANDOM_SHARE = 0.2
RESAMPLES = 2000


@dataclass(frozen=True)
class Plan:
    """``start`` labels, then ``step`` more in each of ``rounds``; ``test`` is the share of infants that are tested."""

    start: int = 30
    step: int = 25
    rounds: int = 6
    repeats: int = 8
    test: float = 0.4
    steps_of_fit: int = 100
    seed: int = 0

    @property
    def sizes(self) -> list[int]:
        """Labels after each round."""
        return [self.start + self.step * done for done in range(self.rounds + 1)]


@dataclass(frozen=True)
class State:
    """What a strategy knows: vectors [M, W] and the head's logits [M] of all studies, what is labelled, what not."""

    vectors: sampling.Vectors
    logits: Floats
    labelled: Indices
    waiting: Indices


Choose = Callable[[State, int, np.random.Generator], list[int]]


def _random(state: State, n: int, rng: np.random.Generator) -> list[int]:
    return [int(at) for at in rng.permutation(state.waiting)[:n]]


def _uncertainty(state: State, n: int, rng: np.random.Generator) -> list[int]:
    """Nearest to the boundary between the classes; the head is fitted so that it lies at zero."""
    order = np.argsort(np.abs(state.logits[state.waiting]), kind="stable")
    return [int(at) for at in state.waiting[order][:n]]


def _diversity(state: State, n: int, rng: np.random.Generator) -> list[int]:
    points = sampling.standardised(state.vectors)
    chosen = sampling.farthest_first(points[state.waiting], points[state.labelled], n=n, rng=rng)
    return [int(state.waiting[at]) for at in chosen]


def _both(state: State, n: int, rng: np.random.Generator) -> list[int]:
    """In turn, as the product's "a bit of each"."""
    lists = (_uncertainty(state, n, rng), _diversity(state, n, rng))
    turns = [at for pair in zip(*lists, strict=True) for at in pair]
    return list(dict.fromkeys(turns))[:n]


STRATEGIES: dict[str, tuple[str, Choose]] = {
    "random": ("at random", _random),
    "uncertainty": ("the model is unsure", _uncertainty),
    "diversity": ("variety of pictures", _diversity),
    "balanced": ("a bit of each", _both),
}


def simulate(bags: Bags, plan: Plan, *, say: Callable[[str], None] = lambda _: None) -> dict[str, NDArray[np.float64]]:
    """AUROC on the test studies: for each strategy [repeats, rounds + 1]."""
    aurocs = {name: np.full((plan.repeats, plan.rounds + 1), math.nan) for name in STRATEGIES}
    for number in range(plan.repeats):
        drawn = _repeat(bags, plan, number)
        for name, (_, choose) in STRATEGIES.items():
            aurocs[name][number] = _curve(bags, drawn, choose, plan)
        last = ", ".join(f"{name} {aurocs[name][number, -1]:.3f}" for name in STRATEGIES)
        say(f"repeat {number + 1} of {plan.repeats}: AUROC with {plan.sizes[-1]} labels: {last}")
    return aurocs


def _parted(bags: Bags, plan: Plan, repeat: int) -> tuple[Indices, Indices]:
    """(the pool, the test studies): groups whole, positives shared alike."""
    rng = np.random.default_rng((plan.seed, repeat, 1))
    test: list[str] = []
    for label in (0, 1):
        groups = sorted({str(group) for group, y in zip(bags.groups, bags.y, strict=True) if y == label} - set(test))
        test += [groups[at] for at in rng.permutation(len(groups))[: round(plan.test * len(groups))]]
    tested = np.isin(bags.groups, test)
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def _first_labels(bags: Bags, pool: Indices, plan: Plan, repeat: int) -> Indices:
    """At random, as the first queue of a site is; with two of each class, or no head could be fitted."""
    rng = np.random.default_rng((plan.seed, repeat, 2))
    for _ in range(1000):
        chosen = rng.permutation(pool)[: plan.start]
        if min(np.bincount(bags.y[chosen], minlength=2)) >= 2:
            return chosen
    raise ValueError(f"{plan.start} labels at random hold hardly ever two of each class; start with more")


@dataclass(frozen=True)
class Repeat:
    """One draw of pool and test, the data projected on what the pool's pictures vary in; no label was looked at."""

    number: int
    pool: Indices
    test: Indices
    start: Indices
    projection: Projection
    data: Projected
    vectors: sampling.Vectors


def _repeat(bags: Bags, plan: Plan, number: int) -> Repeat:
    pool, test = _parted(bags, plan, number)
    projection = fit_projection(bags.embeddings, pool)
    data = project(bags.embeddings, projection)
    return Repeat(number, pool, test, _first_labels(bags, pool, plan, number), projection, data, _means(data))


def _curve(bags: Bags, drawn: Repeat, choose: Choose, plan: Plan) -> list[float]:
    """AUROC after each round."""
    labelled, reached = drawn.start, []
    rng = np.random.default_rng((plan.seed, drawn.number, 3))
    for turn in range(plan.rounds + 1):
        head = fit_head(
            drawn.data,
            bags.y,
            labelled,
            projection=drawn.projection,
            fit=Fit(steps=plan.steps_of_fit),
            seed=plan.seed + 100 * drawn.number + turn,
        )
        logits = outputs(head, drawn.data, np.arange(len(bags))).logit.double().numpy()
        reached.append(auroc(bags.y[drawn.test], logits[drawn.test]))
        if turn < plan.rounds:
            state = State(drawn.vectors, logits, labelled, np.setdiff1d(drawn.pool, labelled))
            labelled = np.concatenate([labelled, _next(state, choose, plan, rng)])
    return reached


def _next(state: State, choose: Choose, plan: Plan, rng: np.random.Generator) -> Indices:
    """The strategy's choice with the random share in it."""
    drawn = rng.permutation(state.waiting)[: round(RANDOM_SHARE * plan.step)]
    chosen = [at for at in choose(state, plan.step, rng) if at not in set(drawn.tolist())]
    return np.array([*drawn, *chosen[: plan.step - len(drawn)]], dtype=np.int64)


def _means(data: Projected) -> sampling.Vectors:
    """Each study's mean frame, [M, W]."""
    count = data.mask.sum(dim=1, keepdim=True).clamp_min(1)
    means: sampling.Vectors = (data.values.sum(dim=1) / count).numpy()
    return means


def needed(curve: Sequence[float], sizes: Sequence[int], target: float) -> float:
    """Labels at which a rising curve reaches the target, between two rounds by a straight line; infinite if never."""
    best = np.maximum.accumulate(curve)
    if best[-1] < target:
        return math.inf
    at = int(np.argmax(best >= target))
    if at == 0:
        return float(sizes[0])
    share = (target - best[at - 1]) / (best[at] - best[at - 1])
    return float(sizes[at - 1] + share * (sizes[at] - sizes[at - 1]))


def report(curves: dict[str, NDArray[np.float64]], plan: Plan) -> dict[str, Any]:
    """Mean AUROC after each round, and the labels needed for what random reaches with all of its own; 95 % intervals
    over repeats, all strategies of a repeat drawn together."""
    rng = np.random.default_rng((plan.seed, 4))
    drawn = [np.arange(plan.repeats), *rng.integers(plan.repeats, size=(RESAMPLES, plan.repeats))]
    means = {name: np.stack([aurocs[rows].mean(axis=0) for rows in drawn]) for name, aurocs in curves.items()}
    targets = means["random"][:, -1]
    labels = {
        name: np.array([needed(curve, plan.sizes, target) for curve, target in zip(rows, targets, strict=True)])
        for name, rows in means.items()
    }
    return {
        "plan": asdict(plan),
        "sizes": plan.sizes,
        "target": float(targets[0]),
        "strategies": {
            name: {
                "auroc": [_estimate(means[name][:, at]) for at in range(len(plan.sizes))],
                "labels": _estimate(labels[name]),
                "share_of_random": _estimate(labels[name] / labels["random"]),
            }
            for name in curves
        },
    }


def _estimate(values: Floats) -> dict[str, Any]:
    """Where a resample never reached the target, its labels count as more than all."""
    low, high = np.quantile(values[1:], [0.025, 0.975], method="nearest")
    return {"value": _finite(values[0]), "interval": [_finite(low), _finite(high)]}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
