"""Greys of more than eight bits: on one scale for the clip, or in the window that the file states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from studies.sandbox import pool
from tests.studies.dicom import second_decoder
from tests.studies.dicoms import COLUMNS, ROWS, clip

RAMP = np.linspace(0, 4095, ROWS * COLUMNS).astype(np.uint16).reshape(ROWS, COLUMNS)
DEEP: dict[str, Any] = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}


def _deep(path: Path, frames: np.ndarray, **facts: Any) -> Path:
    path.write_bytes(clip(frames=len(frames), PixelData=frames.tobytes(), **(DEEP | facts)))
    return path


def _shallow(path: Path, **facts: Any) -> Path:
    path.write_bytes(clip(frames=1, **facts))
    return path


def test_a_frame_half_as_bright_is_shown_half_as_bright(tmp_path: Path) -> None:
    path = _deep(tmp_path / "a.dcm", np.stack([RAMP * 0, RAMP // 2, RAMP // 4]))
    black, bright, dim = (second_decoder.shown(path, number).astype(int) for number in (1, 2, 3))
    assert (black.max(), bright.min(), bright.max()) == (0, 0, 255)
    assert np.abs(dim - bright / 2).max() <= 1


def test_the_model_sees_deep_frames_on_the_scale_of_the_clip(tmp_path: Path) -> None:
    path = _deep(tmp_path / "a.dcm", np.stack([RAMP, RAMP // 2]))
    ((_, _, data),) = pool.decode_grey(path, [2])
    assert np.abs(np.frombuffer(data, np.uint8).astype(int) - np.rint(RAMP.ravel() // 2 / 4095 * 255)).max() <= 1


WINDOWS = [(1024, 2048), (500, 100), (2000.5, 1), (-100, 3000)]


@pytest.mark.parametrize(("centre", "width"), WINDOWS)
@pytest.mark.parametrize("function", ["LINEAR", "SIGMOID"])
def test_a_window_maps_as_in_dcmtk(tmp_path: Path, centre: float, width: float, function: str) -> None:
    window = {"WindowCenter": centre, "WindowWidth": width, "VOILUTFunction": function}
    path = _deep(tmp_path / "a.dcm", np.stack([RAMP, RAMP // 2]), **window)
    for number, truth in enumerate(second_decoder.frames(path, "+Wi", "1"), 1):
        assert second_decoder.apart(second_decoder.shown(path, number), truth) <= 1


def test_a_window_in_units_of_the_modality_maps_as_in_dcmtk(tmp_path: Path) -> None:
    facts = {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 1000, "WindowWidth": 3000}
    path = _deep(tmp_path / "a.dcm", RAMP[None], **facts)
    (truth,) = second_decoder.frames(path, "+Wi", "1")
    assert second_decoder.apart(second_decoder.shown(path), truth) <= 1


def test_an_exact_window_ends_at_its_edges(tmp_path: Path) -> None:
    window = {"WindowCenter": 2, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"}
    shown = second_decoder.shown(_deep(tmp_path / "a.dcm", (RAMP % 6)[None], **window))
    truth = np.array([0, 64, 128, 191, 255, 255])
    assert np.array_equal(shown, truth[RAMP % 6])


@pytest.mark.parametrize("width", [0, -5, 0.5])
def test_a_window_without_a_width_does_not_withhold_the_picture(tmp_path: Path, width: float) -> None:
    path = _deep(tmp_path / "a.dcm", RAMP[None], WindowCenter=100, WindowWidth=width)
    shown = second_decoder.shown(path)
    assert (shown.min(), shown.max()) == (0, 255)
    assert pool.read_header(path)["warnings"] == [
        f"Its window has a width of {width:g}, which means nothing: it is not applied."
    ]


def test_a_table_of_greys_has_its_own_depth(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 10]
    table["LUTDescriptor"].VR = "US"
    table.LUTData = (np.arange(4096) // 8).astype("<u2").tobytes()
    table["LUTData"].VR = "OW"
    shown = second_decoder.shown(_deep(tmp_path / "a.dcm", RAMP[None], VOILUTSequence=[table]))
    assert np.abs(shown.astype(int) - np.rint(RAMP // 8 / 1023 * 255)).max() == 0


@pytest.mark.parametrize("table", ["VOILUTSequence", "ModalityLUTSequence"])
def test_a_table_of_greys_that_is_empty_does_not_withhold_the_picture(tmp_path: Path, table: str) -> None:
    shown = second_decoder.shown(_deep(tmp_path / "a.dcm", RAMP[None], **{table: [Dataset()]}))
    assert (shown.min(), shown.max()) == (0, 255)


def test_eight_bits_are_shown_as_stored_and_the_window_is_said(tmp_path: Path) -> None:
    path = _shallow(tmp_path / "a.dcm", WindowCenter=64, WindowWidth=128)
    (truth,) = second_decoder.frames(path)
    assert second_decoder.apart(second_decoder.shown(path), truth) == 0
    assert "window (centre 64, width 128) is not applied" in pool.read_header(path)["warnings"][0]


@pytest.mark.parametrize("centre", [127, 127.5, 128])
def test_a_window_that_changes_nothing_is_not_mentioned(tmp_path: Path, centre: float) -> None:
    path = _shallow(tmp_path / "a.dcm", WindowCenter=centre, WindowWidth=256)
    assert pool.read_header(path)["warnings"] == []
