"""What is known of colour Doppler stands with the clip and in the notes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from studies import frame_cache
from studies.models import Clip
from tests.studies.dicoms import COLUMNS, ROWS

Stored = Callable[..., Clip]
pytestmark = pytest.mark.django_db


@pytest.fixture
def doppler(stored: Stored) -> Clip:
    """Three frames of grey speckle, the second with a red spot."""
    grey = np.random.default_rng(2).integers(20, 200, (3, ROWS, COLUMNS, 1), dtype=np.uint8)
    pixels = grey.repeat(3, axis=3)
    pixels[1, 6:18, 8:24] = (220, 30, 10)
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    return stored(frames=3, PixelData=pixels.tobytes(), **colour)


def test_a_look_keeps_what_each_frame_shows(doppler: Clip) -> None:
    frame_cache.look_for_flow(doppler, [1])
    frame_cache.look_for_flow(doppler, [2, 3])
    doppler.refresh_from_db()
    assert (doppler.looked_frames, doppler.flow_frames) == ([1, 2, 3], [2])


def test_a_thumbnail_brings_a_look_at_the_middle(doppler: Clip) -> None:
    frame_cache.thumbnail(doppler)
    doppler.refresh_from_db()
    assert (doppler.looked_frames, doppler.flow_frames) == ([2], [2])


def test_frames_that_cannot_be_decoded_are_looked_at_once(doppler: Clip) -> None:
    Clip.objects.filter(pk=doppler.pk).update(digest="0" * 64)
    doppler.refresh_from_db()
    frame_cache.look_for_flow(doppler, [1, 2])
    assert (doppler.looked_frames, doppler.flow_frames) == ([1, 2], [])


def test_the_clip_and_the_notes_say_it(reader: Client, doppler: Clip) -> None:
    frame_cache.look_for_flow(doppler, [1, 2])
    answer = reader.get(f"/api/v1/studies/{doppler.study.uid}/").json()
    (clip,) = answer["clips"]
    assert (clip["flow_frames"], clip["looked_frames"]) == ([2], 2)
    assert (
        "Colour Doppler in clip 1 (1 of 2 frames that were looked at): such frames are not scored." in answer["notes"]
    )


def test_the_note_follows_the_setting(reader: Client, doppler: Clip, settings: Settings) -> None:
    settings.SCORE_COLOUR_DOPPLER = True
    frame_cache.look_for_flow(doppler, [2])
    (note,) = [
        each for each in reader.get(f"/api/v1/studies/{doppler.study.uid}/").json()["notes"] if "Doppler" in each
    ]
    assert note.endswith("such frames are scored like grey ones.")
