"""Labels needed by a strategy against random: the arithmetic, the draws, and the page."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.core.synthetic_bags import toy_bags
from training.benchmark.label_efficiency import Plan, State, _next, _parted, needed, report, simulate
from training.benchmark.label_efficiency_page import main, page

PLAN = Plan(start=12, step=8, rounds=2, repeats=2, steps_of_fit=10)


@pytest.mark.parametrize(
    ("curve", "labels"),
    [((0.5, 0.7, 0.9), 162.5), ((0.8, 0.85, 0.9), 100), ((0.5, 0.6, 0.7), math.inf), ((0.7, 0.6, 0.9), 162.5)],
)
def test_labels_are_read_off_a_rising_curve(curve: tuple[float, ...], labels: float) -> None:
    assert needed(curve, [100, 150, 175], 0.8) == pytest.approx(labels)


def test_pool_and_test_share_no_infant_and_have_both_classes() -> None:
    bags = toy_bags(60, visits=2, positives=0.25)
    for repeat in range(5):
        pool, test = _parted(bags, PLAN, repeat)
        assert not set(bags.groups[pool]) & set(bags.groups[test])
        assert len(pool) + len(test) == len(bags)
        assert set(bags.y[pool]) == set(bags.y[test]) == {0, 1}


def test_a_fifth_of_each_round_is_drawn_at_random() -> None:
    waiting = np.arange(100)
    state = State(np.zeros((100, 2), np.float32), np.zeros(100), np.array([], dtype=np.int64), waiting)
    chosen = _next(state, lambda *_: list(range(30)), replace(PLAN, step=20), np.random.default_rng(1))
    assert len(chosen) == len(set(chosen.tolist())) == 20
    assert (chosen < 30).sum() >= 16


def test_the_simulation_repeats_itself_and_labels_nothing_twice() -> None:
    bags = toy_bags(60, positives=0.25)
    first, again = simulate(bags, PLAN), simulate(bags, PLAN)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert {found.shape for found in first.values()} == {(2, 3)}
    assert len({found[0, 0] for found in first.values()}) == 1


def test_a_strategy_that_needs_half_the_labels_is_told_so() -> None:
    plan = replace(PLAN, start=10, step=10, rounds=4, repeats=6)
    rise = np.linspace(0.5, 0.9, 5)
    found = report({"random": np.tile(rise, (6, 1)), "fast": np.tile([0.5, 0.7, 0.9, 0.9, 0.9], (6, 1))}, plan)
    assert found["strategies"]["fast"]["labels"]["value"] == pytest.approx(30)
    assert found["strategies"]["fast"]["share_of_random"]["interval"] == pytest.approx([0.6, 0.6])


def test_the_command_writes_its_page(tmp_path: Path) -> None:
    toy_bags(60, positives=0.25).save(tmp_path / "bags.npz")
    out = tmp_path / "page.md"
    small = ["--start", "12", "--step", "6", "--rounds", "1", "--repeats", "2", "--fit-steps", "10"]
    assert main(["--features", str(tmp_path / "bags.npz"), "--out", str(out), *small]) == 0
    text = out.read_text()
    assert "Research use only" in text
    assert "| variety of pictures |" in text


def test_a_pool_that_is_too_small_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy_bags(40).save(tmp_path / "bags.npz")
    assert main(["--features", str(tmp_path / "bags.npz"), "--out", str(tmp_path / "page.md")]) == 2
    assert "fewer rounds" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()


def test_what_was_never_reached_says_more() -> None:
    plan = replace(PLAN, rounds=1)
    curves = {"random": np.array([[0.6, 0.8]] * 2), "diversity": np.array([[0.5, 0.6]] * 2)}
    text = page(report(curves, plan), toy_bags(40), source="toys")
    assert "| variety of pictures | more (more to more) | more (more to more) |" in text
