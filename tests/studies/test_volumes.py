"""Enhanced US Volume: named, shown, measured by its pixel measures, and never scored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from pydicom.dataset import Dataset

from studies import frame_cache
from studies.dicom.kinds import VOLUME, VOLUME_CLASS
from studies.ingest.results import IngestResult
from studies.models import Clip
from tests.studies.dicoms import COLUMNS, ROWS, clip

Stored = Callable[..., Clip]
Take = Callable[..., IngestResult]
pytestmark = pytest.mark.django_db


def _measures(down: float, across: float) -> Dataset:
    measures, group = Dataset(), Dataset()
    measures.PixelSpacing = [down, across]
    group.PixelMeasuresSequence = [measures]
    return group


def _volume(stored: Stored, **facts: Any) -> Clip:
    groups = {"SharedFunctionalGroupsSequence": [_measures(0.4, 0.2)]}
    return stored(SOPClassUID=VOLUME_CLASS, **{"frames": 3, "FrameTime": None, **groups, **facts})


def test_a_volume_is_kept_out_of_the_bag_with_the_reason(stored: Stored) -> None:
    volume = _volume(stored)
    assert (volume.scorable, volume.parked_reason) == (False, VOLUME)
    assert Clip.objects.scorable().count() == 0


@pytest.mark.parametrize("modality", ["US", ""])
def test_a_volume_is_named_with_and_without_a_modality(take: Take, modality: str) -> None:
    result = take(clip(SOPClassUID=VOLUME_CLASS, Modality=modality))
    assert (result.outcome, result.code, result.reason) == ("parked", "volume", VOLUME)


def test_a_cut_volume_is_named_as_both(take: Take) -> None:
    result = take(clip(SOPClassUID=VOLUME_CLASS)[:-100])
    assert (result.code, result.reason.startswith(f"{VOLUME} Incomplete: 1 of 2")) == ("truncated", True)


def test_the_list_of_clips_and_the_notes_name_it(reader: Client, stored: Stored) -> None:
    volume = _volume(stored)
    answer = reader.get(f"/api/v1/studies/{volume.study.uid}/").json()
    (described,) = answer["clips"]
    assert (described["kind"], described["frames"], described["calibration"]) == ("volume", 3, "calibrated")
    assert "Clip 1 is an ultrasound volume: shown slice by slice, never scored." in answer["notes"]


def test_its_slices_are_shown_as_they_are(stored: Stored) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (3, ROWS, COLUMNS), dtype=np.uint8)
    volume = _volume(stored, PixelData=pixels.tobytes())
    assert np.array_equal(frame_cache.grey_frames(volume, [1, 2, 3]), pixels)


def test_its_pixel_measures_are_its_scale(stored: Stored) -> None:
    (region,) = _volume(stored).regions
    assert (region["source"], region["dx_cm"], region["dy_cm"]) == ("Pixel Measures", 0.02, 0.04)
