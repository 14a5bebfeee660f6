"""`python -m training phantom`: a cohort on disk, made by as many processes as the machine has cores."""

from __future__ import annotations

import argparse
import csv
import io
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from common.atomic_file import replacing
from training.phantom.constants import DEFAULT_POSITIVE_FRACTION, DEFAULT_REFERENCE_DATE, SIZES, Knobs
from training.phantom.dicom import write_exam
from training.phantom.examination import PhantomExam, exam

STUDY_COLUMNS = (
    "study_uid", "patient_id", "grade_right", "grade_left", "positive", "phi", "device", "gestational_age_weeks",
    "birth_weight_g", "sex", "twin_group",
)  # fmt: skip
FRAME_COLUMNS = ("sop_uid", "frame", "grade", "side", "x0", "y0", "x1", "y1", "study_uid")
Row = dict[str, str]


class Written(NamedTuple):
    """What one examination left behind."""

    study: Row
    keyframes: list[Row]
    frames: int


def main(argv: list[str] | None = None) -> int:
    """Generate examinations START..START+N-1; returns 0. Exits with 2 and a message for arguments that cannot be."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.out.exists() and not options.out.is_dir():
        parser.error(f"{options.out} is a file; name a folder. Nothing was written.")
    began = time.perf_counter()
    written = generate(
        options.out,
        range(options.start_index, options.start_index + options.exams),
        make=partial(
            exam,
            options.seed,
            positive_fraction=options.positive_fraction,
            size=options.size,
            reference_date=options.reference_date,
            knobs=Knobs(bleed_db=options.bleed_db),
        ),
        processes=options.processes,
    )
    seconds, frames = time.perf_counter() - began, sum(each.frames for each in written)
    positive = sum(each.study["positive"] == "1" for each in written)
    sys.stdout.write(
        f"{len(written)} phantom studies ({positive} with haemorrhage), {frames} frames in {options.out}\n"
        f"{seconds:.1f} s, {frames / max(seconds, 1e-9):.0f} frames/s with {options.processes} processes\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training phantom", description=__doc__)
    parser.add_argument("--exams", type=_count, required=True, help="number of examinations")
    parser.add_argument("--seed", type=int, required=True, help="the cohort; the same seed gives the same bytes")
    parser.add_argument("--out", type=Path, required=True, help="folder for <patient>/<study>/<nn>.dcm and the truth")
    parser.add_argument("--positive-fraction", type=_share, default=DEFAULT_POSITIVE_FRACTION)
    parser.add_argument("--size", choices=sorted(SIZES), default="full")
    parser.add_argument("--start-index", type=_count, default=0, help="first examination of the cohort to make")
    parser.add_argument("--reference-date", type=date.fromisoformat, default=date.fromisoformat(DEFAULT_REFERENCE_DATE))
    parser.add_argument("--bleed-db", type=float, default=Knobs.bleed_db, help="echo of blood above brain tissue")
    parser.add_argument("--processes", type=_count, default=os.cpu_count() or 1)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return share


def generate(out: Path, indices: Iterable[int], *, make: Callable[[int], PhantomExam], processes: int) -> list[Written]:
    """Write the examinations `make(index)` and their truth; rows of studies already in OUT stay."""
    out.mkdir(parents=True, exist_ok=True)
    write = partial(_write, make, out)
    if processes <= 1:
        written = [write(index) for index in indices]
    else:
        # Spawned, not forked: the caller may hold threads.
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            written = list(pool.map(write, indices, chunksize=1))
    _merge(out / "truth.csv", STUDY_COLUMNS, [each.study for each in written])
    _merge(out / "truth_frames.csv", FRAME_COLUMNS, [row for each in written for row in each.keyframes], written)
    return written


def _write(make: Callable[[int], PhantomExam], out: Path, index: int) -> Written:
    made = make(index)
    write_exam(made, out)
    return Written(study_row(made), keyframe_rows(made), sum(len(clip.frames) for clip in made.clips))


def study_row(made: PhantomExam) -> Row:
    """The examination's row of truth.csv."""
    plan = made.plan
    return {
        "study_uid": made.study_uid,
        "patient_id": plan.patient_id,
        "grade_right": str(plan.grade_right),
        "grade_left": str(plan.grade_left),
        "positive": str(int(plan.positive)),
        "phi": str(int(plan.phi)),
        "device": made.device.model,
        "gestational_age_weeks": f"{plan.gestational_age_weeks:.2f}",
        "birth_weight_g": str(plan.birth_weight_g),
        "sex": plan.sex,
        "twin_group": plan.twin_group,
    }


def keyframe_rows(made: PhantomExam) -> list[Row]:
    """The examination's rows of truth_frames.csv: one per keyframe and side."""
    return [
        {
            "sop_uid": clip.sop_uid,
            "frame": str(key.frame),
            "grade": str(key.grade),
            "side": key.side,
            **{corner: str(value) for corner, value in key.box._asdict().items()},
            "study_uid": made.study_uid,
        }
        for clip in made.clips
        for key in clip.keyframes
    ]


def _merge(path: Path, columns: tuple[str, ...], rows: list[Row], written: list[Written] | None = None) -> None:
    """Write rows after those that the file has of other studies."""
    renewed = {each.study["study_uid"] for each in written} if written else {row["study_uid"] for row in rows}
    others: list[Row] = []
    if path.exists():
        with path.open(newline="") as before:
            others = [row for row in csv.DictReader(before) if row["study_uid"] not in renewed]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows([*others, *rows])
    with replacing(path) as file:
        file.write(text.getvalue().encode())
