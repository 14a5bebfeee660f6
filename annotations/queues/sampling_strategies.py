"""What to label next: ways to choose among studies that nobody has labelled, each with a sentence for its reader.

A pick's ``why`` is read before the commit, so it tells nothing of what the AI or another reader said: where that is the
reason, every pick of the queue has the same sentence, those drawn at random too. ``reason`` is the whole of it, for
admins and for after the commit. A share of each choice is drawn at random from all candidates, at places that tell
nothing, so that the queue's labels also give an unbiased estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from annotations.core import sampling
from annotations.queues import candidates as queues_candidates
from annotations.queues.candidates import Pool
from studies.models import Study

RANDOM_SHARE = 0.2
MOST_CANDIDATES = 10_000
LEAST_KNOWN = 20
"""Studies read twice that the expectation of a split needs."""
DRAWN = "Drawn at random, for an unbiased estimate."
FILLED = "The strategy knew of no more studies: drawn at random from the others."
TEACHES = "Chosen for what its label would teach, or drawn at random."
COVERS = "Chosen so that labels cover many kinds of pictures, or drawn at random."

Chosen = list[tuple[int, str, str]]
"""Places in the pool, each with why and reason."""


class CannotRank(Exception):
    """There is nothing to go by, or no such strategy; the message says what to do. Nothing was made."""


@dataclass(frozen=True)
class Pick:
    """A chosen study. ``strategy`` chose it, or ``random``: the random share, or ``filled``: it knew no more."""

    study: Study
    why: str
    reason: str
    strategy: str


@dataclass(frozen=True)
class Strategy:
    """``explained`` is for who makes the queue; ``cover`` what its random share says, and nothing else may."""

    name: str
    label: str
    explained: str
    cover: str
    choose: Callable[[Pool, int, np.random.Generator], Chosen]


STRATEGIES: dict[str, Strategy] = {}


def _register(name: str, label: str, explained: str, cover: str) -> Callable[..., Callable[..., Chosen]]:
    def keep(choose: Callable[[Pool, int, np.random.Generator], Chosen]) -> Callable[..., Chosen]:
        STRATEGIES[name] = Strategy(name, label, explained, cover, choose)
        return choose

    return keep


def rank(name: str, studies: Iterable[Study], n: int, seed: int = 0) -> list[tuple[Study, str]]:
    """At most n of the studies, what to label first in front, each with its sentence. Raises CannotRank."""
    return [(pick.study, pick.why) for pick in picks(name, studies, n, seed)]


def picks(name: str, studies: Iterable[Study], n: int, seed: int = 0) -> list[Pick]:
    """The same with the whole reason. The same studies, labels and seed give the same choice."""
    strategy = STRATEGIES.get(name)
    if strategy is None:
        raise CannotRank(f"There is no strategy {name!r}. There are: {', '.join(STRATEGIES)}.")
    rng = np.random.default_rng(seed)
    candidates = list(studies)
    if len(candidates) > MOST_CANDIDATES:
        candidates = [candidates[at] for at in np.sort(rng.permutation(len(candidates))[:MOST_CANDIDATES])]
    n = min(n, len(candidates))
    if n <= 0:
        return []
    return _mixed(strategy, candidates, n, rng)


def _mixed(strategy: Strategy, candidates: list[Study], n: int, rng: np.random.Generator) -> list[Pick]:
    """The strategy's choice with the random share among it; what it cannot fill is drawn too, apart from that share."""
    order = rng.permutation(len(candidates)).tolist()
    share = n if strategy.name == "random" else round(RANDOM_SHARE * n)
    drawn, rest = order[:share], order[share:]
    found = strategy.choose(Pool(candidates), n, rng) if n > share else []
    kept = [(at, (why, reason)) for at, why, reason in found if at not in set(drawn)]
    said = dict(kept[: n - share])
    said |= dict.fromkeys([at for at in rest if at not in said][: n - share - len(said)], (strategy.cover, FILLED))
    placed = sampling.shuffled_in(list(said), drawn, rng)
    return [
        Pick(candidates[at], strategy.cover, DRAWN, "random")
        if random
        else Pick(candidates[at], *said[at], "filled" if said[at][1] == FILLED else strategy.name)
        for at, random in placed
    ]


@_register("random", "At random", "Every study has the same chance: what is measured on it holds for all.", DRAWN)
def _at_random(found: Pool, n: int, rng: np.random.Generator) -> Chosen:
    return [(int(at), DRAWN, DRAWN) for at in rng.permutation(len(found.studies))[:n]]


@_register(
    "uncertainty",
    "The model is unsure",
    "Studies whose probability lies closest to the flag's threshold: a label there moves the model most.",
    TEACHES,
)
def _uncertainty(found: Pool, n: int, rng: np.random.Generator) -> Chosen:
    margins = found.margins()
    if not margins:
        raise CannotRank(
            "No model has scored any of these studies yet. Wait for the scores, or choose another strategy."
        )
    jitter = rng.random(len(found.studies))
    nearest = sorted(margins, key=lambda at: (margins[at].distance, jitter[at]))
    return [(at, TEACHES, margins[at].reason) for at in nearest[:n]]


@_register(
    "split",
    "Readers would differ",
    "Studies whose pictures resemble those on which two blinded readers differed: there one read is not enough.",
    TEACHES,
)
def _split(found: Pool, n: int, rng: np.random.Generator) -> Chosen:
    known = queues_candidates.read_twice()
    vectors, twice = found.vectors(), queues_candidates.vectors(known)
    if not vectors or len(twice) < LEAST_KNOWN:
        raise CannotRank(
            f"{len(twice)} studies with embeddings were read by two readers; {LEAST_KNOWN} are needed to tell where "
            "readers differ. Choose another strategy until then."
        )
    places, keys = list(vectors), list(twice)
    points = sampling.standardised(np.stack([*vectors.values(), *twice.values()]))
    split = np.array([known[key] for key in keys])
    shares = sampling.split_share(points[: len(places)], points[len(places) :], split)
    order = np.lexsort((rng.random(len(places)), -shares))[:n]
    return [(places[at], TEACHES, f"Readers split on {shares[at]:.0%} of the studies most like it.") for at in order]


@_register(
    "diversity",
    "Variety of pictures",
    "Studies whose pictures lie farthest from all that is labelled, and from one another (coverage of embeddings).",
    COVERS,
)
def _diversity(found: Pool, n: int, rng: np.random.Generator) -> Chosen:
    vectors = found.vectors()
    if not vectors:
        raise CannotRank("No embeddings of these studies are kept on this machine. Choose another strategy.")
    places, labelled = list(vectors), list(queues_candidates.vectors(queues_candidates.labelled()).values())
    points = sampling.standardised(np.stack([*vectors.values(), *labelled]))
    chosen = sampling.farthest_first(points[: len(places)], points[len(places) :], n=n, rng=rng)
    reason = "Its pictures are unlike those that are labelled so far."
    return [(places[at], COVERS, reason) for at in chosen]


@_register(
    "rare",
    "Rare scanner or age",
    "Studies from the scanners, and of infants born at the ages, that have the fewest labels so far.",
    DRAWN,
)
def _rare(found: Pool, n: int, rng: np.random.Generator) -> Chosen:
    have = queues_candidates.labelled()
    by: list[list[tuple[int, str]]] = []
    for strata_of, sentence in ((queues_candidates.devices, "scanner"), (queues_candidates.ages, "age")):
        told, known = strata_of([study.pk for study in found.studies]), strata_of(have)
        places = [at for at, study in enumerate(found.studies) if study.pk in told]
        strata = [told[found.studies[at].pk] for at in places]
        order = sampling.rarest_first(strata, list(known.values()), n=n, rng=rng)
        by.append([(places[at], _rare_words(sentence, strata[at])) for at in order])
    if not any(by):
        raise CannotRank("Neither a scanner nor a gestational age is known of these studies. Choose another strategy.")
    chosen: dict[int, str] = {}
    for turn in range(n):
        for one in by:
            if turn < len(one) and len(chosen) < n:
                chosen.setdefault(*one[turn])
    return [(at, words, words) for at, words in chosen.items()]


def _rare_words(kind: str, stratum: str) -> str:
    if kind == "scanner":
        return f"Few labelled studies come from this scanner ({stratum})."
    return f"Few labelled infants were born at {stratum}."


@_register(
    "balanced",
    "A bit of each",
    "In turn: unsure, variety, rare scanner or age, readers would differ; what cannot be told is left out.",
    TEACHES,
)
def _balanced(found: Pool, n: int, rng: np.random.Generator) -> Chosen:
    lists: list[Chosen] = []
    for choose in (_uncertainty, _diversity, _rare, _split):
        try:
            lists.append(choose(found, n, rng))
        except CannotRank:
            continue
    chosen: dict[int, str] = {}
    for turn in range(n):
        for one in lists:
            if turn < len(one) and len(chosen) < n:
                chosen.setdefault(one[turn][0], one[turn][2])
    return [(at, TEACHES, reason) for at, reason in chosen.items()]
