"""neophantom-v1: who is in it, and that it is always the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from training.phantom.constants import Knobs
from training.phantom.examination import exam
from training.phantom.neophantom import FRAMES, GRADES, Cohort, examination, plan_digest, plans
from training.phantom.prepared_frames import prepared_exam

V1 = Cohort()


def test_the_cohort_has_the_papers_numbers() -> None:
    worst = Counter(max(one.grade_right, one.grade_left) for one in plans(V1))
    assert (len(plans(V1)), worst[0]) == (2127, 2127 - 124)
    assert tuple(worst[grade] for grade in range(1, 5)) == GRADES


def test_an_infant_is_examined_once_and_some_have_a_twin() -> None:
    assert len({one.patient_id for one in plans(V1)}) == len(plans(V1))
    pairs = Counter(one.twin_group for one in plans(V1) if one.twin_group)
    assert 100 < sum(count == 2 for count in pairs.values()) < 300


def test_all_four_devices_scan() -> None:
    assert {one.device for one in plans(V1)} == {0, 1, 2, 3}


def test_the_plan_has_the_digest_that_was_frozen() -> None:
    assert plan_digest(V1) == "7356ac02bef0bc21ae93a33b006f17d7761fd47fb3cc2364477a9e31ee95df81"


def test_an_infant_looks_the_same_whenever_it_is_made() -> None:
    first, again = (prepared_exam(examination(V1, 0), budget=FRAMES).frames for _ in range(2))
    assert first.shape == (FRAMES, 128, 128)
    assert np.array_equal(first, again)


def test_a_healthy_infant_does_not_depend_on_the_contrast_of_blood() -> None:
    healthy = next(number for number, one in enumerate(plans(V1)) if not one.positive)
    faint = replace(V1, bleed_db=1.0)
    one, other = (prepared_exam(examination(cohort, healthy), budget=FRAMES).frames for cohort in (V1, faint))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(("devices", "first_pair"), [("with", True), ("against", False)])
def test_a_shortcut_ties_the_device_to_the_label(devices: str, first_pair: bool) -> None:
    made = plans(replace(V1, devices=devices))
    share = np.mean([(one.device < 2) == first_pair for one in made if one.positive])
    assert 0.75 < share < 0.95


def test_captions_come_and_go_without_moving_anything_else() -> None:
    plain, captioned = (
        exam(3, 1, size="small", knobs=Knobs(caption_rate=rate)).clips[0].frames.astype(int) for rate in (0.0, 1.0)
    )
    changed = captioned - plain
    assert (changed >= 0).all()
    assert 0 < (changed > 0).mean() < 0.02


def test_the_default_knobs_keep_the_names_of_older_phantoms() -> None:
    assert Knobs().name == str(Knobs())
    assert Knobs(variety=0.5).name != Knobs().name
