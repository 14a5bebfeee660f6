"""Bags made up so that their answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.core.bags import Bags, make_bags


def toy_bags(
    studies: int = 60, *, shift: float = 6.0, dim: int = 16, positives: float = 0.5, visits: int = 1, seed: int = 0
) -> Bags:
    """Bags of 2 to 7 vectors; in a positive bag one or two vectors lie `shift` away. `visits` bags make a patient."""
    rng = np.random.default_rng(seed)
    embeddings, labels = [], []
    for number in range(studies):
        positive = (number // visits) % round(1 / positives) == 0
        bag = rng.normal(size=(int(rng.integers(2, 8)), dim)).astype(np.float16)
        if positive:
            bag[: int(rng.integers(1, 3)), :4] += shift
        embeddings.append(bag)
        labels.append(int(positive))
    groups = [f"patient-{number // visits}" for number in range(studies)]
    return make_bags(embeddings, labels, groups=groups, uids=[f"study-{number}" for number in range(studies)])


def marked(bags: Bags, *, above: float = 3.0) -> Bags:
    """The same bags with their shifted vectors marked as keyframes."""
    marks = [(bag[:, :4].astype(np.float32).mean(axis=1) > above).astype(np.int8) for bag in bags.embeddings]
    return replace(bags, keyframes=marks)
