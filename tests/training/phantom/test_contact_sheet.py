"""Generated frames under real ones, on one sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.phantom import contact_sheet


@pytest.fixture
def views(tmp_path: Path) -> Path:
    for name in ("COR1.png", "SAG1.png", "notes.png"):
        Image.fromarray(np.full((90, 120), 200, np.uint8)).save(tmp_path / name)
    return tmp_path


def test_each_view_has_a_phantom_of_its_plane_beneath_it(views: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "sheet.png"
    out.parent.mkdir()
    assert contact_sheet.main(["--real", str(views), "--out", str(out)]) == 0
    made = np.asarray(Image.open(out))
    width, height = contact_sheet.TILE
    assert made.shape == (contact_sheet.MARGIN + 2 * height, 2 * width)
    assert made[contact_sheet.MARGIN + height :, :width].std() > 10
    assert made[contact_sheet.MARGIN + height :, width:].std() > 10


@pytest.mark.parametrize(
    ("name", "data", "reason"), [("SAG1.png", b"rubbish", "no picture"), ("x.txt", b"", "COR or SAG")]
)
def test_a_folder_without_views_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert contact_sheet.main(["--real", str(tmp_path), "--out", str(tmp_path / "sheet.png")]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "sheet.png").exists()
