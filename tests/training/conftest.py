from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.inference import factories
from tests.inference.conftest import machine
from training.core import crossval

__all__ = ["machine"]


@pytest.fixture
def model(db: None, tmp_path: Path) -> Any:
    """A champion."""
    return factories.installed(tmp_path / "first")


@pytest.fixture
def quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of runs: one positive infant for each fold is enough, and heads are hardly fitted."""
    settings.MIN_POSITIVES_PER_FOLD = 1
    plain = crossval.RECIPES["fontanelle"]
    short = replace(plain, seeds=1, inner_folds=2, fit=replace(plain.fit, steps=10))
    monkeypatch.setitem(crossval.RECIPES, "fontanelle", short)
