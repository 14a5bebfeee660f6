"""The benchmark's work folder, its legs' bookkeeping and its page."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.core.synthetic_bags import toy_bags
from training.benchmark import cohort_frames, run
from training.benchmark.feature_cache import FeatureCache
from training.benchmark.page import NOT_MEASURED, write_page
from training.benchmark.run import LEGS, ensemble_output, measured
from training.core import crossval
from training.core.crossval import CrossValidation, cross_validate
from training.phantom.neophantom import FRAMES, Cohort

FEW = Cohort(seed=31, infants=5, grades=(0, 0, 1, 1))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FeatureCache:
    return FeatureCache(tmp_path_factory.mktemp("work"), 1, lambda line: None)


@pytest.fixture(scope="module")
def found() -> CrossValidation:
    """Hardly fitted: what is tested here does not depend on how well a head is fitted."""
    with pytest.MonkeyPatch.context() as patch:
        plain = crossval.RECIPES["fontanelle"]
        patch.setitem(crossval.RECIPES, "fontanelle", replace(plain, fit=replace(plain.fit, steps=24)))
        return cross_validate(toy_bags(60), folds=3, seeds=1)


def test_what_is_kept_lies_in_the_infants_order(cache: FeatureCache) -> None:
    """Brightness as an embedding: positives and negatives come from two folders, and land where they belong."""
    bright = cache.embeddings(FEW, name="mean", embed=lambda frames: frames.mean((1, 2))[:, None].astype(np.float16))
    assert bright.shape == (5, FRAMES, 1)
    assert np.allclose(bright[..., 0], cache.frames(FEW).mean((2, 3)), atol=0.1)
    assert np.array_equal(cache.keyframes(FEW).any(axis=1), cohort_frames.cohort_truth(FEW).y == 1)


def test_a_frame_is_embedded_once(cache: FeatureCache) -> None:
    calls: list[int] = []

    def embed(frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        calls.append(len(frames))
        return np.zeros((len(frames), 2), dtype=np.float16)

    for _ in range(2):
        cache.embeddings(FEW, name="counted", embed=embed)
    assert sum(calls) == 5 * FRAMES


def test_negatives_serve_every_contrast(cache: FeatureCache) -> None:
    faint = Cohort(seed=31, infants=5, grades=(0, 0, 1, 1), bleed_db=2.0)
    (_, negative), (positive, same) = cache.parts(FEW), cache.parts(faint)
    assert same.chunks == negative.chunks
    assert positive.chunks != cache.parts(FEW)[0].chunks


def test_an_ensemble_answers_as_its_heads_do(found: CrossValidation) -> None:
    bags = np.random.default_rng(0).normal(size=(4, 3, toy_bags(60).dim)).astype(np.float16)
    whole, attention = ensemble_output(found.heads, bags)
    each = [ensemble_output([head], bags)[0] for head in found.heads]
    assert np.allclose(whole, np.mean(each, axis=0))
    assert np.allclose(attention.sum(axis=1), 1, atol=1e-5)


def test_a_leg_is_measured_once_and_says_what_it_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = itertools.count(1)
    monkeypatch.setitem(LEGS, "paper", lambda bench: {"calls": next(count)})
    bench = run.Benchmark(FeatureCache(tmp_path, 1, lambda line: None), images=tmp_path)
    first, again = (measured(bench, "paper") for _ in range(2))
    assert first == again
    assert first["calls"] == 1
    assert first["cost"]["cpu_seconds"] >= 0


def test_a_leg_of_another_cohort_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LEGS, "paper", lambda bench: {"calls": 1})
    (tmp_path / "leg-paper.json").write_text(json.dumps({"stamp": {"plan": "another"}, "found": {"calls": 0}}))
    bench = run.Benchmark(FeatureCache(tmp_path, 1, lambda line: None), images=tmp_path)
    assert measured(bench, "paper")["calls"] == 1


def test_the_page_says_what_was_not_measured(tmp_path: Path) -> None:
    bench = run.Benchmark(FeatureCache(tmp_path, 1, lambda line: None), images=tmp_path)
    write_page(tmp_path / "benchmark.md", {}, truth=bench.truth)
    page = (tmp_path / "benchmark.md").read_text()
    assert NOT_MEASURED in page
    assert "Research use only" in page


def test_the_page_shows_both_recipes(found: CrossValidation, tmp_path: Path) -> None:
    bench = run.Benchmark(FeatureCache(tmp_path, 1, lambda line: None), images=tmp_path)
    report: Any = {**found.report, "cost": {"cpu_seconds": 60.0, "seconds": 90.0}}
    write_page(tmp_path / "benchmark.md", {"paper": report, "fontanelle": report}, truth=bench.truth)
    page = (tmp_path / "benchmark.md").read_text()
    assert f"{report['auroc']['pooled']:.3f}" in page
    assert "| paper | 1.0 | 1.5 |" in page
    assert (tmp_path / "benchmark" / "roc.png").stat().st_size > 1000
