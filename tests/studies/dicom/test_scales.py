"""Where the scale of a clip is from, and what is not believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from studies.dicom.facts import Header
from studies.sandbox import pool
from tests.studies.dicoms import COLUMNS, ROWS, clip, region

VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"


@pytest.fixture
def header(tmp_path: Path) -> Any:
    def read(data: bytes) -> Header:
        path = tmp_path / "a.dcm"
        path.write_bytes(data)
        return pool.read_header(path)

    return read


@pytest.mark.parametrize(
    ("keyword", "source"),
    [
        ("PixelSpacing", "Pixel Spacing"),
        ("ImagerPixelSpacing", "Imager Pixel Spacing"),
        ("NominalScannedPixelSpacing", "Nominal Scanned Pixel Spacing"),
    ],
)
def test_without_regions_a_pixel_spacing_is_the_scale_by_its_name(header: Any, keyword: str, source: str) -> None:
    facts = header(clip(**{keyword: [0.3, 0.2]}))
    (whole,) = facts["regions"]
    assert facts["warnings"] == [f"Its scale is from {source}, not from ultrasound regions."]
    assert (whole["dx_cm"], whole["dy_cm"], whole["source"]) == (pytest.approx(0.02), pytest.approx(0.03), source)
    assert (whole["x0"], whole["y0"], whole["x1"], whole["y1"]) == (0, 0, COLUMNS - 1, ROWS - 1)


def test_pixel_spacing_comes_before_that_of_the_detector(header: Any) -> None:
    (whole,) = header(clip(PixelSpacing=[0.2, 0.2], ImagerPixelSpacing=[0.4, 0.4]))["regions"]
    assert (whole["source"], whole["dx_cm"]) == ("Pixel Spacing", pytest.approx(0.02))


def test_where_there_are_regions_no_spacing_counts(header: Any) -> None:
    (area,) = header(clip(PixelSpacing=[0.5, 0.5], SequenceOfUltrasoundRegions=[region()]))["regions"]
    assert (area["dx_cm"], "source" in area) == (0.02, False)


@pytest.mark.parametrize(
    "spacing",
    ["0 0.2", "-0.2 0.2", "0.2", "1 1", "0.2 0.0002", "50 50", "0.02 0.9", "0.1 0.2 0.3"],
)
def test_a_spacing_that_cannot_be_true_is_said_and_not_used(header: Any, spacing: str) -> None:
    facts = header(clip(PixelSpacing=spacing.split()))
    shown = spacing.replace(" ", " x ")
    assert facts["regions"] == []
    assert (
        f"Its Pixel Spacing ({shown} mm) cannot be true of an ultrasound image: not used as a scale."
        in (facts["warnings"])
    )


def test_pixel_measures_of_all_frames_are_a_scale(header: Any) -> None:
    (whole,) = header(clip(SOPClassUID=VOLUME, SharedFunctionalGroupsSequence=[_measures(0.3, 0.2)]))["regions"]
    assert (whole["source"], whole["dx_cm"], whole["dy_cm"]) == (
        "Pixel Measures",
        pytest.approx(0.02),
        pytest.approx(0.03),
    )


def test_pixel_measures_of_single_frames_are_theirs(header: Any) -> None:
    groups = [_measures(0.2, 0.2), _measures(0.2, 0.2), Dataset()]
    (own,) = header(clip(frames=3, PerFrameFunctionalGroupsSequence=groups))["regions"]
    assert (own["source"], own["frames"], own["dx_cm"]) == ("Pixel Measures", [1, 2], pytest.approx(0.02))


def _measures(down: float, across: float) -> Dataset:
    measures, group = Dataset(), Dataset()
    measures.PixelSpacing = [down, across]
    group.PixelMeasuresSequence = [measures]
    return group


def _region_of(kind: int, units: tuple[int, int], **facts: Any) -> Dataset:
    item = region()
    item.RegionSpatialFormat = kind
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    for keyword, value in facts.items():
        setattr(item, keyword, value)
    return item


@pytest.mark.parametrize("across", [4, 3, 0])
def test_an_m_mode_trace_has_a_scale_of_depth_alone(header: Any, across: int) -> None:
    (trace,) = header(clip(SequenceOfUltrasoundRegions=[_region_of(2, (across, 3))]))["regions"]
    assert (trace["type"], trace["dx_cm"], trace["dy_cm"]) == ("m_mode", None, 0.03)


@pytest.mark.parametrize("kind", [3, 4])
def test_a_trace_over_time_has_no_scale_of_lengths_whatever_its_units(header: Any, kind: int) -> None:
    (trace,) = header(clip(SequenceOfUltrasoundRegions=[_region_of(kind, (3, 3))]))["regions"]
    assert (trace["dx_cm"], trace["dy_cm"]) == (None, None)


def test_bit_0_of_the_region_flags_is_low_priority(header: Any) -> None:
    flags = [_region_of(1, (3, 3), RegionFlags=value) for value in (0, 1, 2, 3)]
    regions = header(clip(SequenceOfUltrasoundRegions=flags))["regions"]
    assert ["low_priority" in each for each in regions] == [False, True, False, True]
