"""`python -m training beside`: generated frames under real ones of the same plane, on one sheet for a reader's eye.

Real views may not be shown in this repository, so the sheet is made where somebody has some: a folder of pictures
whose names begin with COR or SAG, as in the public neonatal collections. Nothing is measured; a reader judges.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, UnidentifiedImageError

from training.phantom.constants import DEFAULT_REFERENCE_DATE, Knobs
from training.phantom.examination import STILLS, SWEEPS, scanned
from training.phantom.plan import plan

TILE = (400, 300)
MARGIN = 22
PLANES = {"COR": "coronal", "SAG": "sagittal"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
TITLE = "Above: real views, not to be passed on. Below: generated phantoms. Research use only."


def real_views(folder: Path, most: int) -> list[tuple[str, Image.Image]]:
    """(plane, picture) of at most `most` views of each plane, in the order of their paths.

    Raises ValueError where there is none, or where one cannot be read.
    """
    views: list[tuple[str, Image.Image]] = []
    for path in sorted(folder.rglob("*")):
        plane = PLANES.get(path.name[:3].upper())
        if (
            plane is None
            or path.suffix.lower() not in SUFFIXES
            or sum(plane == found_plane for found_plane, _ in views) == most
        ):
            continue
        try:
            views.append((plane, Image.open(path).convert("L")))
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"{path} is no picture that can be read") from error
    if not views:
        raise ValueError(f"{folder} holds no picture whose name begins with COR or SAG")
    return sorted(views, key=lambda found_plane: found_plane[0])


def phantom_views(planes: Sequence[str], seed: int) -> Iterator[Image.Image]:
    """A still of the asked plane of one infant after another, healthy and with a bleed in turn."""
    views = {plane: [view for view in (*STILLS, *SWEEPS[1:]) if view.kind == plane] for plane in PLANES.values()}
    day = date.fromisoformat(DEFAULT_REFERENCE_DATE)
    for number, plane in enumerate(planes):
        grades = ((0, 0), (2, 0), (0, 3))[number % 3]
        planned = plan(seed=seed, index=number, positive_fraction=0.0, reference_date=day, grades=grades)
        view = views[plane][number % len(views[plane])]
        clip = scanned(planned, size="full", knobs=Knobs(), views=[view]).clips[0]
        yield Image.fromarray(np.asarray(clip.frames[len(clip.frames) // 2])).convert("L")


def sheet(real: Sequence[tuple[str, Image.Image]], seed: int) -> Image.Image:
    """A column for each real view, the generated one of the same plane beneath it."""
    width, height = TILE
    made = Image.new("L", (width * len(real), MARGIN + 2 * height), 0)
    for at, (picture, phantom) in enumerate(
        zip((tile for _, tile in real), phantom_views([plane for plane, _ in real], seed), strict=True)
    ):
        for row, tile in enumerate((picture, phantom)):
            tile.thumbnail(TILE)
            left = at * width + (width - tile.width) // 2
            made.paste(tile, (left, MARGIN + row * height + (height - tile.height) // 2))
    ImageDraw.Draw(made).text((6, 5), TITLE, fill=230)
    return made


def main(argv: list[str]) -> int:
    """Write the sheet; 0, or 2 with one line of reason."""
    parser = argparse.ArgumentParser(prog="python -m training beside", description=__doc__)
    parser.add_argument("--real", type=Path, required=True, help="folder of real views, COR*.png and SAG*.png")
    parser.add_argument("--out", type=Path, required=True, help="the sheet, a PNG; keep it where the real views may be")
    parser.add_argument("--most", type=int, default=3, help="views of each plane")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    try:
        made = sheet(real_views(options.real, options.most), options.seed)
        made.save(options.out)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"beside: {error}. Nothing was written.\n")
        return 2
    sys.stdout.write(f"Wrote {options.out}. {TITLE}\n")
    return 0
