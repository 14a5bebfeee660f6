"""A cross-validation that was killed goes on where it was, and says what it would have said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.core.network import BagHead
from tests.training.core.synthetic_bags import marked, toy_bags
from training.cli import crossval
from training.core import crossval as crossval_module
from training.core.crossval import Cancelled, Progress, cross_validate
from training.core.heads import fit_head

ROOT = Path(__file__).resolve().parents[3]
CLOCKS = ('"seconds"', '"cpu_seconds"')


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("features") / "toys.npz"
    marked(toy_bags(60)).save(path)
    return path


def arguments(features: Path, out: Path) -> list[str]:
    return ["--features", str(features), "--recipe", "paper", "--folds", "4", "--out", str(out)]


def kill_after(fits: int, command: Sequence[str], out: Path) -> None:
    """Run the command, and kill it without warning once it has kept so many heads."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}", "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen([sys.executable, "-m", "training", "crossval", *command], cwd=ROOT, env=environment)
    deadline = time.monotonic() + 240
    while len(list(out.glob("fits/*/*.safetensors"))) < fits:
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait(60)


def without_clocks(report: Path) -> list[str]:
    lines = report.read_text().splitlines()
    return [line for line in lines if not line.strip().startswith(CLOCKS)]


def test_killed_between_folds_it_writes_the_same_bytes(features: Path, tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_after(2, arguments(features, killed), killed)
    assert not (killed / "report.json").exists()
    assert crossval(arguments(features, killed)) == crossval(arguments(features, whole)) == 0
    assert without_clocks(killed / "report.json") == without_clocks(whole / "report.json")
    assert (killed / "predictions.csv").read_bytes() == (whole / "predictions.csv").read_bytes()
    assert not (killed / "fits").exists()


def test_what_was_fitted_is_not_fitted_again_and_the_answer_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = crossval_module.RECIPES["fontanelle"]
    short = replace(plain, inner_folds=2, fit=replace(plain.fit, steps=24))
    monkeypatch.setitem(crossval_module.RECIPES, "fontanelle", short)
    monkeypatch.setattr(crossval_module, "LOOK_SECONDS", 0)
    bags, heard, fits = marked(toy_bags(40)), list[Progress](), list[int]()
    with pytest.raises(Cancelled):
        cross_validate(
            bags, head="fontanelle", folds=2, progress=heard.append, cancelled=lambda: len(heard) > 8, work=tmp_path
        )
    kept = len(list(tmp_path.glob("*/*.safetensors")))

    def counted(*positional: Any, **named: Any) -> BagHead:
        fits.append(1)
        return fit_head(*positional, **named)

    monkeypatch.setattr(crossval_module, "fit_head", counted)
    again = cross_validate(bags, head="fontanelle", folds=2, work=tmp_path)
    assert (kept > 6, len(fits)) == (True, 12 - kept)
    assert again.predictions == cross_validate(bags, head="fontanelle", folds=2).predictions


def test_other_bags_or_options_share_nothing_and_a_torn_file_is_made_again(tmp_path: Path) -> None:
    first = cross_validate(toy_bags(40), recipe="paper", folds=2, work=tmp_path)
    torn = sorted(tmp_path.glob("*/*.safetensors"))[0]
    torn.write_bytes(torn.read_bytes()[:100])
    again = cross_validate(toy_bags(40), recipe="paper", folds=2, work=tmp_path)
    assert repr(again.predictions) == repr(first.predictions)  # to the last bit; a p-value that is not there is nan
    cross_validate(toy_bags(40), recipe="paper", folds=2, seed=1, work=tmp_path)
    cross_validate(toy_bags(40, seed=1), recipe="paper", folds=2, work=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
