"""Labels that were chosen teach; those that came as studies come calibrate, set thresholds and are reported on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.training.core.synthetic_bags import toy_bags
from training.core import crossval
from training.core.bags import Bags, make_bags
from training.core.crossval import NO_PROMISE, CrossValidation


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    plain = crossval.RECIPES["fontanelle"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(crossval.RECIPES, "fontanelle", replace(plain, seeds=1, fit=replace(plain.fit, steps=32)))
        yield


def _enriched(*, unbiased: int) -> Bags:
    """Studies of which a fifth is positive, marked unbiased, and as many chosen ones of which half are."""
    came, chosen = toy_bags(unbiased, positives=0.2), toy_bags(100, positives=0.5, seed=1)
    bags = make_bags(
        [*came.embeddings, *chosen.embeddings],
        [*came.y, *chosen.y],
        groups=[*came.groups, *(f"chosen-{group}" for group in chosen.groups)],
        uids=[*came.uids, *(f"chosen-{uid}" for uid in chosen.uids)],
    )
    return replace(bags, unbiased=np.arange(len(bags)) < unbiased)


@pytest.fixture(scope="module")
def enough(quick: None) -> CrossValidation:
    return crossval.cross_validate(_enriched(unbiased=100))


@pytest.fixture(scope="module")
def too_few(quick: None) -> CrossValidation:
    return crossval.cross_validate(_enriched(unbiased=40))


def test_only_unbiased_studies_are_reported_on(enough: CrossValidation) -> None:
    assert {row.index for row in enough.predictions} == set(range(100))
    assert (enough.report["n"], enough.report["n_positive"]) == (100, 20)
    assert enough.report["unbiased"] == {"studies": 100, "positives": 20, "of": 200, "promises": True, "needed": 15}


def test_all_are_fitted_on(enough: CrossValidation) -> None:
    assert sum(row["studies"] for row in enough.report["folds"]) == 200


def test_probabilities_are_those_of_the_unbiased_share(enough: CrossValidation) -> None:
    """A fifth of them is positive, .35 of all: calibrated to all, the mean lies near that."""
    assert np.mean([row.probability for row in enough.predictions]) == pytest.approx(0.2, abs=0.06)


def test_too_few_unbiased_ones_promise_nothing(too_few: CrossValidation) -> None:
    assert {point.promise for point in too_few.operating_points.values()} == {NO_PROMISE}
    assert (too_few.report["n"], too_few.report["unbiased"]["promises"]) == (140, False)


def test_enough_of_them_promise_as_before(enough: CrossValidation) -> None:
    assert "at least 0.90" in enough.operating_points["target_0.90"].promise


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="once for each bag"):
        replace(toy_bags(10), unbiased=np.ones(9, dtype=bool))
