"""Classical tables: many fits at once, by the publication's protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.core.synthetic_bags import toy_bags
from training.benchmark import mil_datasets
from training.benchmark.mil_datasets import Published, Table, accuracies, fit_together, measure, spread, standardise
from training.core.bags import Bags, make_bags
from training.core.heads import project

QUICK = Published(epochs=15, rate=2e-3, layers=(16,), dropout=0.0)
SHORT = Published(epochs=3, layers=(8,))
KINDS = ("abmil", "gated")


def _even(studies: int = 20) -> Bags:
    """Toy bags of two vectors each: no step needs padding."""
    whole = toy_bags(studies)
    return make_bags(
        [bag[:2] for bag in whole.embeddings], whole.y.tolist(), groups=list(whole.groups), uids=list(whole.uids)
    )


def _folds(studies: int, folds: int) -> np.ndarray:
    found: np.ndarray = np.arange(studies) % folds != np.arange(folds)[:, None]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_fits_taken_together_equal_the_fit_alone(kind: str) -> None:
    bags, trains = _even(), [np.arange(10), np.arange(5, 15), np.arange(10, 20)]
    together = fit_together(bags, trains, kind=kind, fit=SHORT, seed=1)
    (alone,) = fit_together(bags, trains[1:2], kind=kind, fit=SHORT, seed=1)
    for name, value in alone.state_dict().items():
        assert torch.allclose(together[1].state_dict()[name], value, atol=1e-5), name


def test_fits_on_other_bags_differ() -> None:
    first, second = fit_together(_even(), [np.arange(10), np.arange(5, 15)], kind="abmil", fit=SHORT, seed=1)
    assert not torch.equal(first.pool.score.weight, second.pool.score.weight)


def test_padding_a_step_teaches_nothing() -> None:
    """Bags of unequal size beside a fit on larger ones: without dropout the numbers are those of the fit alone."""
    bags, plain = toy_bags(40), Published(epochs=3, layers=(8,), dropout=0.0)
    small, large = np.split(np.argsort([len(bag) for bag in bags.embeddings], kind="stable"), 2)
    beside = fit_together(bags, [small, large], kind="gated", fit=plain, seed=0)[0]
    (alone,) = fit_together(bags, [small], kind="gated", fit=plain, seed=0)
    assert torch.allclose(beside.pool.score.weight, alone.pool.score.weight, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_what_can_be_learnt(kind: str) -> None:
    """Over six seeds the accuracy is .98 to 1; a head that learns nothing never exceeds .66."""
    found = accuracies(toy_bags(60), _folds(60, 3), kind=kind, fit=QUICK, seed=0)
    assert found.shape == (3,)
    assert found.mean() > 0.85


def test_the_seed_decides_everything() -> None:
    folds = _folds(30, 3)
    torch.manual_seed(1)
    first = fit_together(toy_bags(30), [np.flatnonzero(folds[0])], kind="abmil", fit=SHORT, seed=3)[0].state_dict()
    torch.manual_seed(2)
    again, other = (
        fit_together(toy_bags(30), [np.flatnonzero(folds[0])], kind="abmil", fit=SHORT, seed=seed)[0].state_dict()
        for seed in (3, 4)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["pool.score.weight"], other["pool.score.weight"])


def test_instances_are_standardised_by_the_training_bags_alone() -> None:
    bags = toy_bags(20)
    projection = standardise(bags.embeddings, np.arange(10))
    data = project(bags.embeddings, projection)
    rows = data.values[:10][data.mask[:10]]
    assert torch.allclose(rows.mean(dim=0), torch.zeros(bags.dim), atol=1e-4)
    assert torch.allclose(rows.std(dim=0, correction=0), torch.ones(bags.dim), atol=1e-3)


def test_spread_tells_repeats_from_folds() -> None:
    found = spread(np.array([[1.0, 0.5], [0.5, 0.5]]))
    assert (found["mean"], found["repeats"]) == (0.625, [0.75, 0.5])
    assert found["sd"] == pytest.approx(0.1768, abs=1e-4)


def test_a_table_is_measured_on_its_own_folds_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mil_datasets, "TABLES", (Table("Toy", SHORT, {"abmil": (0.9, 0.1)}),))
    toy_bags(20).save(tmp_path / "plain.npz")
    with np.load(tmp_path / "plain.npz") as file:
        np.savez(tmp_path / "Toy.npz", **file, train_masks=np.stack([_folds(20, 4), _folds(20, 4)[::-1]]))
    said: list[str] = []
    first, again = (measure(tmp_path, tmp_path, say=said.append) for _ in range(2))
    assert first == again
    assert len(first["Toy, abmil"]["repeats"]) == 2
    assert sum("repeat 0" in line for line in said) == 1


def test_a_table_without_folds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mil_datasets, "TABLES", (Table("Toy", SHORT, {"abmil": (0.9, 0.1)}),))
    toy_bags(20).save(tmp_path / "Toy.npz")
    with pytest.raises(ValueError, match="lacks train_masks"):
        measure(tmp_path, tmp_path, say=lambda line: None)
