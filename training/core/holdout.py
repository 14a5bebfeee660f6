"""Which patients a hold-out holds, and the check that none of them is anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from training.core.metrics import Labels
from training.core.splits import Groups, Leak, TooFewCases

NAMED = 5


@dataclass(frozen=True)
class HeldOut:
    """Identifiers that may be in no fold: patients, and linked groups (twins) whole."""

    patients: frozenset[str]
    groups: frozenset[str]

    def holds(self, patient: str, group: str) -> bool:
        return patient in self.patients or group in self.groups


def draw_groups(y: Labels, groups: Groups, *, share: float, seed: int) -> list[str]:
    """`share` of the positive groups and of the others, at least one of each and never all, drawn by the seed.

    A group is positive if one of its studies is. Raises TooFewCases.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1, not at {share:g}")
    positive = sorted(set(groups[y == 1].tolist()))
    negative = sorted(set(groups.tolist()) - set(positive))
    rng = np.random.default_rng((seed, 15))
    chosen: list[str] = []
    for names, word in ((positive, "positive"), (negative, "negative")):
        if len(names) < 2:
            raise TooFewCases(f"a hold-out needs 2 {word} patients at least, there are {len(names)}")
        count = min(max(1, round(share * len(names))), len(names) - 1)
        chosen += [names[at] for at in rng.permutation(len(names))[:count]]
    return sorted(chosen)


def assert_outside(held_out: HeldOut, studies: Mapping[str, tuple[str, str]]) -> None:
    """Raise Leak, naming studies and patients, if one of `studies` (uid: patient, group) is in the hold-out."""
    inside = sorted(uid for uid, (patient, group) in studies.items() if held_out.holds(patient, group))
    if inside:
        named = _named(f"study {uid} of patient {studies[uid][0]}" for uid in inside)
        raise Leak(f"in the locked hold-out: {named}")


def _named(words: Iterable[str]) -> str:
    every = list(words)
    return ", ".join(every[:NAMED]) + (f" and {len(every) - NAMED} more" if len(every) > NAMED else "")
