"""The demo model is made in parts, from phantoms alone, and its card says what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from inference.core.manifest import BACKBONE, Manifest, file_digest, read_manifest
from inference.core.weights import read_model
from training.core import crossval
from training.demo_model import build
from training.demo_model.build import Parts, Sizes, Stages, hard_exams, train_demo
from training.demo_model.model_card import write_card
from training.phantom.prepared_frames import ExamFrames
from training.pretraining.loop import Stage

SIZES = Sizes(backbone=6, full=0, bags=40, test=12, hard=12)
STAGES = Stages(*[(Stage(steps=2, crop=64, side=32, batch=4, rate=1e-3),)] * 2)


class Made(NamedTuple):
    folder: Path
    work: Path
    measured: dict[str, Any]
    asked: list[int]


def toys(exams: int, name: str) -> list[ExamFrames]:
    """Noise of four frames; every second examination has a bright square in its second frame."""
    return [
        _toy(np.random.default_rng(number), f"{name}-{number}", positive=number % 2 == 1) for number in range(exams)
    ]


def _toy(rng: np.random.Generator, patient: str, *, positive: bool) -> ExamFrames:
    frames = rng.integers(40, 90, (4, 128, 128)).astype(np.uint8)
    if positive:
        frames[1, 40:80, 40:80] = 255
    box = np.array([[40, 40, 80, 80]], dtype=np.float32)
    bleeds = tuple(box if positive and at == 1 else box[:0] for at in range(4))
    return ExamFrames(patient, "", int(positive), frames, bleeds, np.full(4, not positive))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    asked: list[int] = []

    def render(requests: Sequence[Any], **_: Any) -> list[ExamFrames]:
        asked.append(len(requests))
        return toys(len(requests), f"easy-{len(asked)}")

    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ARCHITECTURE", "resnet18"), ("DIM", 512), ("render", render)):
            patch.setattr(build, name, value)
        short = {name: replace(one, fit=replace(one.fit, steps=12)) for name, one in crossval.RECIPES.items()}
        patch.setattr(crossval, "RECIPES", short)
        patch.setattr(build, "hard_exams", lambda seed, exams: toys(exams, f"hard-{seed}"))
        folder = tmp_path_factory.mktemp("demo")
        yield Made(folder / "model", folder / "work", _trained(folder), asked)


def _trained(folder: Path) -> dict[str, Any]:
    parts = Parts(seed=1, sizes=SIZES, work=folder / "work", processes=1, say=lambda _: None)
    return train_demo(folder / "model", parts, stages=STAGES)


def _manifest(made: Made) -> Manifest:
    return read_manifest(made.folder)


def test_all_heads_stand_on_one_projection(made: Made) -> None:
    heads = read_model(made.folder).heads
    assert (len(heads), _manifest(made).head_kind) == (10, "fontanelle")
    assert all((head.project.weight == heads[0].project.weight).all() for head in heads)


def test_it_is_measured_on_both_kinds_of_phantom(made: Made) -> None:
    held_out = made.measured["held_out"]
    assert {kind: (row["n"], row["n_positive"]) for kind, row in held_out.items()} == {
        "the demo's kind": (12, 6),
        "the benchmark's kind": (12, 6),
    }
    assert made.measured["out_of_fold"]["n"] == SIZES.bags + SIZES.hard


def test_a_run_that_goes_on_makes_nothing_twice_and_the_same_model(made: Made) -> None:
    before, asked = file_digest(made.folder / BACKBONE), len(made.asked)
    again = _trained(made.folder.parent)
    assert (file_digest(made.folder / BACKBONE), len(made.asked)) == (before, asked)
    assert again["held_out"] == made.measured["held_out"]


def test_the_card_says_what_was_measured_and_leaves_no_gap(made: Made, tmp_path: Path) -> None:
    write_card(tmp_path / "card.md", made.folder, made.measured)
    card = (tmp_path / "card.md").read_text()
    assert "$" not in card
    assert f"{made.measured['held_out'][build.DEMO_KIND]['auroc']:.3f}" in card
    assert _manifest(made).head_digest in card


def test_a_third_of_the_harder_phantoms_bleed_half_of_them_grade_one() -> None:
    grades = [exam.grade for exam in hard_exams(5, 12)]
    assert (grades.count(0), grades.count(1)) == (8, 2)
