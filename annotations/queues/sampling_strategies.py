"""What to label next: ways to choose among studies that nobody has labelled, each with a sentence for its reader.

A pick's ``why`` is read before the commit, so it tells nothing of what the AI or another reader said: where that is the
reason, every pick of the queue has the same sentence, those drawn at random too. ``reason`` is the whole of it, for
admins and for after the commit. A share of each choice is drawn at random from all candidates, at places that tell
nothing, so that the queue's labels also give an unbiased estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from annotations.core import sampling
from annotations.queues import candidates
from annotations.queues.candidates import CandidatePool
from annotations.queues.picks import Pick
from inference.study_vectors import vectors_of
from studies.models import Study

RANDOM_SHARE = 0.2
MOST_CANDIDATES = 10_000
LEAST_KNOWN = 20
"""Studies read twice that the expectation of a split needs."""
DRAWN = "Drawn at random, for an unbiased estimate."
FILLED = "The strategy knew of no more studies: drawn at random from the others."
TEACHES = "Chosen for what its label would teach, or drawn at random."
COVERS = "Chosen so that labels cover many kinds of pictures, or drawn at random."


class Ranked(NamedTuple):
    """A candidate by its place in the pool, with the reasons of a `Pick`."""

    place: int
    why: str
    reason: str


Choose = Callable[[CandidatePool, int, np.random.Generator], list[Ranked]]
"""At most so many candidates of the pool, each once, the most worth labelling first. Raises CannotRank."""


class CannotRank(Exception):
    """There is nothing to go by, or no such strategy; the message says what to do. Nothing was made."""


@dataclass(frozen=True)
class Strategy:
    """``explained`` is for who makes the queue; ``cover`` what its random share says, and nothing else may."""

    name: str
    label: str
    explained: str
    cover: str
    choose: Choose


STRATEGIES: dict[str, Strategy] = {}


def _register(name: str, label: str, explained: str, cover: str) -> Callable[[Choose], Choose]:
    def register(choose: Choose) -> Choose:
        STRATEGIES[name] = Strategy(name, label, explained, cover, choose)
        return choose

    return register


def picks(name: str, studies: Iterable[Study], n: int, seed: int = 0) -> list[Pick]:
    """At most n of the studies, what to label first in front. The same studies, labels and seed give the same choice.

    Raises CannotRank.
    """
    strategy = STRATEGIES.get(name)
    if strategy is None:
        raise CannotRank(f"There is no strategy {name!r}. There are: {', '.join(STRATEGIES)}.")
    rng = np.random.default_rng(seed)
    pool = list(studies)
    if len(pool) > MOST_CANDIDATES:
        pool = [pool[place] for place in np.sort(rng.permutation(len(pool))[:MOST_CANDIDATES])]
    n = min(n, len(pool))
    return _mixed(strategy, pool, n, rng) if n > 0 else []


def _mixed(strategy: Strategy, pool: list[Study], n: int, rng: np.random.Generator) -> list[Pick]:
    """The strategy's choice with the random share among it; what it cannot fill is drawn too, apart from that share."""
    order = rng.permutation(len(pool)).tolist()
    share = n if strategy.name == "random" else round(RANDOM_SHARE * n)
    drawn, others = order[:share], order[share:]
    ranked = strategy.choose(CandidatePool(pool), n, rng) if n > share else []
    chosen = {each.place: each for each in _without(ranked, drawn)[: n - share]}
    spare = [place for place in others if place not in chosen][: n - share - len(chosen)]
    chosen |= {place: Ranked(place, strategy.cover, FILLED) for place in spare}
    placed = sampling.shuffled_in(list(chosen), drawn, rng)
    return [
        Pick(pool[place].pk, strategy.cover, DRAWN, "random")
        if random
        else _pick(pool[place], chosen[place], "filled" if chosen[place].reason == FILLED else strategy.name)
        for place, random in placed
    ]


def _without(ranked: Sequence[Ranked], places: Sequence[int]) -> list[Ranked]:
    left_out = set(places)
    return [each for each in ranked if each.place not in left_out]


def _pick(study: Study, ranked: Ranked, strategy: str) -> Pick:
    return Pick(study.pk, ranked.why, ranked.reason, strategy)


def _in_turn(lists: Sequence[Sequence[Ranked]], n: int) -> list[Ranked]:
    """The first of each list, then the second of each, until there are n; no candidate twice."""
    chosen: dict[int, Ranked] = {}
    for turn in range(n):
        for ranked in lists:
            if turn < len(ranked) and len(chosen) < n:
                chosen.setdefault(ranked[turn].place, ranked[turn])
    return list(chosen.values())


@_register("random", "At random", "Every study has the same chance: what is measured on it holds for all.", DRAWN)
def _at_random(pool: CandidatePool, n: int, rng: np.random.Generator) -> list[Ranked]:
    return [Ranked(int(place), DRAWN, DRAWN) for place in rng.permutation(len(pool.studies))[:n]]


@_register(
    "uncertainty",
    "The model is unsure",
    "Studies whose probability lies closest to the flag's threshold: a label there moves the model most.",
    TEACHES,
)
def _uncertainty(pool: CandidatePool, n: int, rng: np.random.Generator) -> list[Ranked]:
    margins = pool.margins()
    if not margins:
        raise CannotRank(
            "No model has scored any of these studies yet. Wait for the scores, or choose another strategy."
        )
    jitter = rng.random(len(pool.studies))
    nearest = sorted(margins, key=lambda place: (margins[place].distance, jitter[place]))
    return [Ranked(place, TEACHES, margins[place].reason) for place in nearest[:n]]


@_register(
    "split",
    "Readers would differ",
    "Studies whose pictures resemble those on which two blinded readers differed: there one read is not enough.",
    TEACHES,
)
def _split(pool: CandidatePool, n: int, rng: np.random.Generator) -> list[Ranked]:
    known = candidates.readers_differed()
    vectors, twice = pool.vectors(), vectors_of(known)
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
    return [
        Ranked(places[at], TEACHES, f"Readers split on {shares[at]:.0%} of the studies most like it.") for at in order
    ]


@_register(
    "diversity",
    "Variety of pictures",
    "Studies whose pictures lie farthest from all that is labelled, and from one another (coverage of embeddings).",
    COVERS,
)
def _diversity(pool: CandidatePool, n: int, rng: np.random.Generator) -> list[Ranked]:
    vectors = pool.vectors()
    if not vectors:
        raise CannotRank("No embeddings of these studies are kept on this machine. Choose another strategy.")
    places, labelled = list(vectors), list(vectors_of(candidates.labelled()).values())
    points = sampling.standardised(np.stack([*vectors.values(), *labelled]))
    chosen = sampling.farthest_first(points[: len(places)], points[len(places) :], n=n, rng=rng)
    reason = "Its pictures are unlike those that are labelled so far."
    return [Ranked(places[at], COVERS, reason) for at in chosen]


@_register(
    "rare",
    "Rare scanner or age",
    "Studies from the scanners, and of infants born at the ages, that have the fewest labels so far.",
    DRAWN,
)
def _rare(pool: CandidatePool, n: int, rng: np.random.Generator) -> list[Ranked]:
    labelled = candidates.labelled()
    by_kind = [
        _rarest(pool, candidates.scanners, labelled, "Few labelled studies come from this scanner ({}).", n, rng),
        _rarest(pool, candidates.ages, labelled, "Few labelled infants were born at {}.", n, rng),
    ]
    if not any(by_kind):
        raise CannotRank("Neither a scanner nor a gestational age is known of these studies. Choose another strategy.")
    return _in_turn(by_kind, n)


def _rarest(
    pool: CandidatePool,
    strata_of: Callable[[Iterable[int]], dict[int, str]],
    labelled: list[int],
    sentence: str,
    n: int,
    rng: np.random.Generator,
) -> list[Ranked]:
    """Candidates of the strata that have fewest labels; ``sentence`` says of which stratum one is."""
    stratum_of, known = strata_of([study.pk for study in pool.studies]), strata_of(labelled)
    places = [place for place, study in enumerate(pool.studies) if study.pk in stratum_of]
    strata = [stratum_of[pool.studies[place].pk] for place in places]
    order = sampling.rarest_first(strata, list(known.values()), n=n, rng=rng)
    sentences = [sentence.format(strata[at]) for at in order]
    return [Ranked(places[at], text, text) for at, text in zip(order, sentences, strict=True)]


@_register(
    "balanced",
    "A bit of each",
    "In turn: unsure, variety, rare scanner or age, readers would differ; what cannot be told is left out.",
    TEACHES,
)
def _balanced(pool: CandidatePool, n: int, rng: np.random.Generator) -> list[Ranked]:
    lists: list[list[Ranked]] = []
    for choose in (_uncertainty, _diversity, _rare, _split):
        try:
            lists.append(choose(pool, n, rng))
        except CannotRank:
            continue
    return [Ranked(ranked.place, TEACHES, ranked.reason) for ranked in _in_turn(lists, n)]
