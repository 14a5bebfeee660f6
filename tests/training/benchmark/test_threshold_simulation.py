"""Rules and their promises on simulated cohorts. Bounds lie four standard errors from what a thousand cohorts gave."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from training.benchmark import threshold_simulation
from training.benchmark.threshold_simulation import (
    RULES,
    Models,
    Scores,
    conformal_rule,
    main,
    matched,
    pac_rule,
    paper_rule,
)

FEW = 60


def _mean(rule: str, scores: Scores) -> float:
    return float(np.mean([RULES[rule](scores, np.random.default_rng((1, n))).sensitivity for n in range(FEW)]))


def _kept(rule: str, scores: Scores) -> float:
    return float(np.mean([RULES[rule](scores, np.random.default_rng((2, n))).sensitivity >= 0.9 for n in range(FEW)]))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threshold_simulation, "NEW", 600)


def test_models_score_at_the_auroc_that_was_asked_for() -> None:
    models = Models(Scores(auroc=0.8), 1, np.random.default_rng(0), alike=True)
    positive, negative = models.score(1500, positive=True)[0], models.score(1500, positive=False)[0]
    assert (positive[:, None] > negative).mean() == pytest.approx(0.8, abs=0.025)


def test_the_papers_rule_falls_short_as_the_paper_did() -> None:
    """Choosing checkpoint and threshold on nineteen positives promises .90 and reaches about .83."""
    assert 0.75 < _mean("paper", Scores(auroc=0.72)) < 0.88


def test_one_model_keeps_its_promise_on_average() -> None:
    alike = Scores(offset=0.0, scale=0.0, share=1.0)
    reached = [conformal_rule(alike, np.random.default_rng((3, n))).sensitivity for n in range(FEW)]
    assert np.mean(reached) == pytest.approx(0.905, abs=0.02)


def test_one_model_keeps_its_promise_with_confidence() -> None:
    alike = Scores(offset=0.0, scale=0.0, share=1.0)
    kept = [pac_rule(alike, np.random.default_rng((4, n))).sensitivity >= 0.9 for n in range(FEW)]
    assert np.mean(kept) > 0.75


def test_folds_that_lie_apart_break_a_pooled_threshold_and_not_an_aligned_one() -> None:
    apart = Scores(offset=0.6)
    assert _kept("target_0.90_pac", apart) < _kept("aligned_0.90_pac", apart)
    assert _kept("aligned_0.90_pac", apart) > 0.85


def test_cross_conformal_values_do_not_care_how_folds_lie() -> None:
    assert _kept("target_0.90_cross_conformal", Scores(offset=2.0, scale=0.4)) > 0.85


def test_a_rule_comes_again_with_its_seed() -> None:
    first, again = (paper_rule(Scores(), np.random.default_rng(5)) for _ in range(2))
    assert first == again


def _predictions(path: Path, folds: int = 5) -> Path:
    rng = np.random.default_rng(6)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["repeat", "fold", "y", "logit"])
        for fold in range(folds):
            for _ in range(400):
                y = int(rng.random() < 0.3)
                writer.writerow([0, fold, y, 2 * fold + y + rng.normal()])
    return path


def test_scores_are_matched_to_predictions(tmp_path: Path) -> None:
    found = matched(_predictions(tmp_path / "predictions.csv"))
    assert found.auroc == pytest.approx(0.76, abs=0.03)
    assert found.offset == pytest.approx(3.16, abs=0.4)


def test_the_command_writes_what_each_rule_reached(tmp_path: Path) -> None:
    out = tmp_path / "made" / "cohorts.json"
    assert main(["--auroc", "0.8", "--cohorts", "4", "--out", str(out)]) == 0
    report = json.loads(out.read_text())
    assert set(report["rules"]) == set(RULES)
    assert "Research use only" in report["note"]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "repeat,fold,y,logit\n0,0,1,nothing\n", "repeat,fold,y,logit\n0,0,1,1\n"]
)
def test_what_is_no_predictions_file_is_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text(text)
    assert main(["--predictions", str(path), "--out", str(tmp_path / "out.json")]) == 2
    assert "Nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()
