"""Cross-validation measures only what it did not look at, and says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.core.manifest import OperatingPoint
from tests.training.core.synthetic_bags import toy_bags
from training.core import crossval
from training.core.bags import make_bags
from training.core.crossval import (
    RECIPES,
    Cancelled,
    CrossValidation,
    Progress,
    Recipe,
    make_splits,
)
from training.core.heads import Fit, fit_projection
from training.core.report import write_report
from training.core.splits import Leak, TooFewCases

MEASURES = ("auroc", "pr_auc", "accuracy")
# Untyped: in a report any number may be null, and a test that reads a null fails by itself.
cross_validate: Any = crossval.cross_validate


def _short(steps: int) -> dict[str, Recipe]:
    return {name: replace(one, seeds=1, fit=replace(one.fit, steps=steps)) for name, one in RECIPES.items()}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Recipes with few steps and one head: most of this does not depend on how well a head is fitted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossval, "RECIPES", _short(16))
        yield


@pytest.fixture
def learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what a head finds: steps enough to find it."""
    monkeypatch.setattr(crossval, "RECIPES", _short(48))


@pytest.fixture(scope="module")
def found(quick: None) -> CrossValidation:
    return crossval.cross_validate(toy_bags(60, visits=2), seed=1)


def _measures(report: Any) -> Iterator[Any]:
    yield from (report[name] for name in MEASURES)
    for kinds in report["operating_points"].values():
        yield from kinds.values()


@pytest.mark.usefixtures("learning")
@pytest.mark.parametrize("recipe", ["fontanelle", "paper"])
def test_it_finds_what_is_there(recipe: str) -> None:
    """Over four seeds the poorer recipe, `paper`, reaches .95 to .99."""
    report = cross_validate(toy_bags(200), recipe=recipe, folds=3).report
    assert report["auroc"]["mean"] > 0.9
    assert report["recipe"] == recipe


@pytest.mark.usefixtures("learning")
def test_it_finds_nothing_where_nothing_is() -> None:
    """One honest interval in twenty misses .5; widened by .05 on each side it lies four standard errors away."""
    report = cross_validate(toy_bags(600, shift=0.0), folds=2).report
    low, high = report["auroc"]["interval"]
    assert low - 0.05 < 0.5 < high + 0.05


def test_folds_are_pooled_on_one_scale() -> None:
    """Of weak signs, which each fold calibrates otherwise: over six seeds the pooled area lies .008 below that of the
    folds, and .040 below it where their probabilities are mixed (here .001 and .083)."""
    area = cross_validate(toy_bags(100, shift=0.6, positives=0.25, seed=3), seed=3).report["auroc"]
    assert abs(area["pooled"] - area["mean"]) < 0.05


def test_every_study_is_measured_once(found: CrossValidation) -> None:
    assert sorted(row.index for row in found.predictions) == list(range(60))


def test_every_measure_has_its_five_numbers(found: CrossValidation) -> None:
    for measure in _measures(found.report):
        assert set(measure) == {"mean", "sd", "per_fold", "pooled", "interval"}
        assert len(measure["per_fold"]) == 5
        assert measure["mean"] == pytest.approx(np.mean(measure["per_fold"]))
        assert measure["sd"] == pytest.approx(np.std(measure["per_fold"], ddof=1))
        assert measure["interval"][0] <= measure["pooled"] <= measure["interval"][1]


def test_the_report_says_what_it_is_about(found: CrossValidation) -> None:
    report = found.report
    assert (report["n"], report["n_positive"], report["seed"]) == (60, 30, 1)
    assert report["snapshot"] == toy_bags(60, visits=2).digest
    assert sum(row["positives"] for row in report["folds"]) == 30
    assert {"youden", "target_0.90"} <= set(report["operating_points"])
    assert set(report["curves"]) == {"roc", "pr"}
    assert len(report["curves"]["roc"]["per_fold"]) == 5


def test_predictions_agree_with_the_report(found: CrossValidation) -> None:
    positives = [row for row in found.predictions if row.y == 1]
    caught = sum(row.target for row in positives) / len(positives)
    assert found.report["operating_points"]["target_0.90"]["sensitivity"]["pooled"] == pytest.approx(caught)


def test_the_ensemble_carries_what_was_measured(found: CrossValidation) -> None:
    point = found.operating_points["target_0.90"]
    measured = found.report["operating_points"]["target_0.90"]
    assert isinstance(point, OperatingPoint)
    assert len(found.heads) == 5
    assert point.achieved.sensitivity == measured["sensitivity"]["pooled"]
    assert list(point.achieved.interval) == measured["sensitivity"]["interval"]
    assert "at least 0.90" in point.promise
    assert point.rule.endswith("of 15 infants that count alike")


def test_nine_of_ten_out_of_fold_positives_pass_the_deployed_threshold(found: CrossValidation) -> None:
    threshold = found.operating_points["target_0.90"].threshold
    scores = [found.calibration.probability(row.deployed_logit) for row in found.predictions if row.y == 1]
    assert np.mean(np.array(scores) >= threshold) >= 0.90


def test_the_same_seed_gives_the_same_numbers(found: CrossValidation) -> None:
    again = cross_validate(toy_bags(60, visits=2), seed=1)
    assert again.predictions == found.predictions
    clocks = {"seconds": 0, "cpu_seconds": 0}
    assert {**again.report, **clocks} == {**found.report, **clocks}


@pytest.mark.parametrize("recipe", ["fontanelle", "paper"])
def test_labels_of_a_fold_change_neither_its_scores_nor_its_flags(recipe: str) -> None:
    bags = toy_bags(50)
    assigned = np.arange(50) // 2 % 5
    turned = make_bags(
        bags.embeddings,
        np.where(assigned == 2, 1 - bags.y, bags.y).tolist(),
        groups=bags.groups.tolist(),
        uids=bags.uids.tolist(),
    )
    plain, other = (cross_validate(one, recipe=recipe, assigned=assigned).predictions for one in (bags, turned))
    assert [(row.logit, row.probability, row.youden, row.target) for row in plain if row.fold == 2] == [
        (row.logit, row.probability, row.youden, row.target) for row in other if row.fold == 2
    ]


def test_fixed_folds_are_kept() -> None:
    assigned = np.arange(40) // 2 % 4
    found = cross_validate(toy_bags(40), assigned=assigned)
    assert all(row.fold == assigned[row.index] for row in found.predictions)


def test_fixed_folds_that_part_a_patient_are_refused() -> None:
    with pytest.raises(Leak, match="patient-0"):
        cross_validate(toy_bags(40, visits=2), assigned=np.arange(40) % 4)


def test_masks_of_a_published_split_are_followed() -> None:
    masks = np.stack([[np.arange(40) // 2 % 4 != fold for fold in range(4)]] * 2)
    splits = make_splits(toy_bags(40), train_masks=masks)
    assert [(split.repeat, split.fold) for split in splits] == [(r, f) for r in range(2) for f in range(4)]
    assert all(np.array_equal(split.train, np.flatnonzero(masks[split.repeat, split.fold])) for split in splits)


def test_repeats_count_each_study_once_in_the_deployed_rules() -> None:
    masks = np.stack([[np.arange(40) // 2 % 4 != fold for fold in range(4)]] * 2)
    found = cross_validate(toy_bags(40), train_masks=masks)
    assert len(found.report["auroc"]["per_fold"]) == 8
    assert found.report["n"] == 40
    assert found.operating_points["target_0.90"].achieved.n_positive == 20


def test_too_few_positives_are_refused() -> None:
    with pytest.raises(TooFewCases, match="missing"):
        cross_validate(toy_bags(40, positives=1 / 20))


def test_progress_goes_up_to_the_end() -> None:
    heard: list[Progress] = []
    cross_validate(toy_bags(40), folds=2, progress=heard.append)
    assert [one.step for one in heard] == sorted(one.step for one in heard)
    assert heard[-1].step == heard[-1].steps
    assert heard[-1].fraction == 1
    assert [row["state"] for row in heard[-1].fold_rows] == ["done", "done"]
    assert json.loads(json.dumps(heard[0].as_json()))["fold_rows"][1]["state"] == "waiting"


def test_it_stops_when_asked() -> None:
    heard: list[Progress] = []
    with pytest.raises(Cancelled, match="of 12 fits"):
        cross_validate(toy_bags(40), folds=2, progress=heard.append, cancelled=lambda: len(heard) > 2)
    assert heard[-1].step < heard[-1].steps


def test_a_study_without_frames_is_measured_too() -> None:
    bags = toy_bags(40)
    emptied = [bag[:0] if number == 3 else bag for number, bag in enumerate(bags.embeddings)]
    found = cross_validate(
        make_bags(emptied, bags.y.tolist(), groups=bags.groups.tolist(), uids=bags.uids.tolist()), folds=2
    )
    assert all(np.isfinite(row.logit) for row in found.predictions)


def test_the_report_is_written_whole(found: CrossValidation, tmp_path: Path) -> None:
    write_report(tmp_path, report=found.report, predictions=found.predictions)
    assert json.loads((tmp_path / "report.json").read_text()) == found.report
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 61
    assert (tmp_path / "roc.png").read_bytes()[:4] == (tmp_path / "pr.png").read_bytes()[:4] == b"\x89PNG"


def test_recipes_are_what_the_page_says() -> None:
    assert Recipe("fontanelle", 2, 5, Fit()) == RECIPES["fontanelle"]
    assert RECIPES["paper"].inner_folds == 0


def test_the_paper_has_no_cross_conformal_point() -> None:
    points = cross_validate(toy_bags(60), recipe="paper", folds=3).report["operating_points"]
    assert set(points) == {"youden", "target_0.90", "target_0.90_pac"}


def test_the_recipe_reports_three_ways_to_keep_the_target(found: CrossValidation) -> None:
    assert {"target_0.90", "target_0.90_pac", "target_0.90_cross_conformal"} <= set(found.report["operating_points"])


def test_a_promise_with_confidence_flags_no_less_than_one_on_average(found: CrossValidation) -> None:
    assert all(row.pac for row in found.predictions if row.target)


def test_a_study_that_scores_above_every_positive_is_flagged(found: CrossValidation) -> None:
    top = max(found.predictions, key=lambda row: row.p_value)
    assert 0 < min(row.p_value for row in found.predictions) < top.p_value <= 1
    assert top.cross_conformal


def test_ties_count_as_coverage() -> None:
    counted = crossval.count_not_above(np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0]))
    assert counted.tolist() == [0, 2, 3]


@pytest.mark.usefixtures("learning")
def test_fitting_sees_exchanged_labels_and_measuring_does_not() -> None:
    bags = toy_bags(60)
    spoilt = cross_validate(replace(bags, fit_y=1 - bags.y), folds=3)
    assert spoilt.report["auroc"]["mean"] < 0.3  # .00 to .02 over four seeds
    assert [row.y for row in sorted(spoilt.predictions, key=lambda row: row.index)] == bags.y.tolist()


def test_the_heads_of_all_folds_answer_on_one_scale() -> None:
    """Over the negatives that they were not fitted on, each fold's kept heads have mean 0 and spread 1."""
    predictions = cross_validate(toy_bags(120, shift=2.0), folds=2).predictions
    for fold in (0, 1):
        held = np.array([row.deployed_logit for row in predictions if row.fold == fold and not row.y])
        assert (held.mean(), held.std()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))


def test_too_few_negatives_align_nothing() -> None:
    predictions = cross_validate(toy_bags(60), folds=5).predictions
    held = np.array([row.deployed_logit for row in predictions if row.fold == 0 and not row.y])
    assert abs(held.mean()) + abs(held.std() - 1) > 0.02


@pytest.mark.usefixtures("learning")
def test_heads_can_stand_on_one_projection_from_elsewhere() -> None:
    shared = fit_projection(toy_bags(30, seed=9).embeddings, np.arange(30))
    found = cross_validate(toy_bags(60), folds=3, shared=shared)
    assert all(np.array_equal(head.project.weight.detach(), shared.weight) for head in found.heads)
    assert found.report["auroc"]["mean"] > 0.75  # .95 to 1 over four seeds
