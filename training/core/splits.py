"""Folds that never part a patient, nor twins, and say so when something would."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from training.core.report_shapes import FoldCounts

Labels = NDArray[np.int64]
Groups = NDArray[np.str_]
POSITIVE_GROUPS_PER_FOLD = 2
ATTEMPTS = 20


class Leak(ValueError):
    """A group stands on both sides of a split; the message names it."""


class TooFewCases(ValueError):
    """There are not enough positive or negative patients to cross-validate; the message says how many are missing."""


@dataclass(frozen=True)
class Shortfall:
    """Patients (groups) missing before `folds` can be filled."""

    positives: int
    negatives: int


def linked_groups(patients: Sequence[str], twin_groups: Sequence[str]) -> list[str]:
    """One group for all studies of a patient and of its twins: [M] patient ids, [M] twin groups ("" for none)."""
    twins_of: dict[str, str] = {}
    for patient, twins in zip(patients, twin_groups, strict=True):
        if twins:
            twins_of[patient] = f"twins:{twins}"
    return [twins_of.get(patient, patient) for patient in patients]


def shortfall(y: Labels, groups: Groups, *, folds: int = 5) -> Shortfall:
    """How many positive and negative groups are missing for `folds` folds with two of each in every fold."""
    needed = POSITIVE_GROUPS_PER_FOLD * folds
    positive = set(groups[y == 1].tolist())
    negative = set(groups.tolist()) - positive
    return Shortfall(max(0, needed - len(positive)), max(0, needed - len(negative)))


def grouped_folds(y: Labels, groups: Groups, *, folds: int = 5, seed: int = 0) -> Labels:
    """Fold of each study, int [M]: groups whole, positives spread evenly, every fold with both classes.

    Raises TooFewCases if the groups cannot fill the folds.
    """
    needed = min(len(set(groups[y == label].tolist())) for label in (0, 1))
    if needed < folds:
        raise TooFewCases(f"{folds} folds need {folds} patients of each class; {folds - needed} are missing")
    for attempt in range(ATTEMPTS):
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed + 7919 * attempt)
        assigned = np.full(len(y), -1, dtype=np.int64)
        parts = splitter.split(np.zeros(len(y)), y, groups)
        for fold, (_, test) in enumerate(parts):
            assigned[test] = fold
        assert_no_leak(assigned, groups)
        if all(len(set(y[assigned == fold].tolist())) == 2 for fold in range(folds)):
            return assigned
    raise TooFewCases(f"no split into {folds} folds has both classes in every fold; add patients or use fewer folds")


def deal_new(positive: Mapping[str, bool], known: Mapping[str, int], *, folds: int) -> dict[str, int]:
    """Fold of each group: those in `known` stay, the others are dealt in.

    Positive groups come first; each goes to the fold with the fewest of its kind, then with the fewest of all, then to
    the lowest. They come by the digest of their names, so that neither the order of arrival nor a seed decides.
    """
    dealt = {group: fold for group, fold in known.items() if group in positive and fold < folds}
    alike = [sum(positive[group] for group, at in dealt.items() if at == fold) for fold in range(folds)]
    every = [sum(at == fold for at in dealt.values()) for fold in range(folds)]
    counts = {True: alike, False: [all_ - some for all_, some in zip(every, alike, strict=True)]}
    for group in sorted(positive.keys() - dealt.keys(), key=lambda group: (not positive[group], _by_digest(group))):
        of_kind = counts[positive[group]]
        fold = min(range(folds), key=lambda fold: (of_kind[fold], counts[True][fold] + counts[False][fold], fold))
        of_kind[fold] += 1
        dealt[group] = fold
    return dealt


def _by_digest(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()


def assert_no_leak(folds: Labels, groups: Groups) -> None:
    """Raise Leak, naming the groups, if one lies in more than one fold."""
    seen: dict[str, set[int]] = {}
    for group, fold in zip(groups.tolist(), folds.tolist(), strict=True):
        seen.setdefault(group, set()).add(fold)
    if torn := sorted(group for group, where in seen.items() if len(where) > 1):
        named = ", ".join(torn[:5]) + (f" and {len(torn) - 5} more" if len(torn) > 5 else "")
        raise Leak(f"in more than one fold: {named}")


def fold_table(folds: Labels, y: Labels, groups: Groups) -> list[FoldCounts]:
    """What each fold holds: studies, positives, patients."""
    return [
        {
            "fold": int(fold),
            "studies": int((folds == fold).sum()),
            "positives": int(y[folds == fold].sum()),
            "patients": len(set(groups[folds == fold].tolist())),
        }
        for fold in np.unique(folds)
    ]
