"""Studies of 800 x 600 JPEG clips for the viewer's benchmark: real ultrasound objects, the same pictures in each."""

from __future__ import annotations

import copy
import io
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from training.phantom.dicom import dataset
from training.phantom.examination import PhantomClip, PhantomExam, exam

SIZE = (800, 600)
QUALITY = 90


def _uid() -> str:
    return f"2.25.{uuid4().int}"


@lru_cache(maxsize=1)
def _drawn() -> tuple[PhantomExam, PhantomClip]:
    """A small examination and its first sweep."""
    drawn = exam(1, 1, size="small")
    return drawn, next(clip for clip in drawn.clips if not clip.still)


@lru_cache(maxsize=1)
def _template() -> Dataset:
    drawn, sweep = _drawn()
    return dataset(drawn, sweep, number=1)


@lru_cache(maxsize=1)
def _pictures() -> list[bytes]:
    """The frames of a drawn sweep as grey JPEG baseline, as devices write them."""
    _, sweep = _drawn()
    grey = sweep.frames if sweep.frames.ndim == 3 else sweep.frames[..., 0]
    pictures = []
    for frame in grey:
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(frame)).resize(SIZE, Image.Resampling.BILINEAR).save(buffer, "JPEG", quality=QUALITY)
        pictures.append(buffer.getvalue())
    return pictures


def write_study(folder: Path, *, clips: list[int], number: int, frame_ms: float = 40.0) -> str:
    """Write a study of clips with so many frames each, `number` days before now in a list of studies; its UID."""
    study, series = _uid(), _uid()
    out = folder / study
    out.mkdir(parents=True)
    for at, frames in enumerate(clips, 1):
        plain = copy.deepcopy(_template())
        plain.InstanceNumber = at
        _fill(plain, study=study, series=series, frames=frames, frame_ms=frame_ms)
        plain.SeriesDescription = "COR sweep" if at % 2 else "SAG sweep"
        plain.ImageComments = plain.ViewName = ""
        plain.PatientID = plain.AccessionNumber = f"B{number:05d}"
        plain.save_as(out / f"{at:03d}.dcm", enforce_file_format=True)
    return study


def _fill(plain: Dataset, *, study: str, series: str, frames: int, frame_ms: float) -> None:
    pictures = _pictures()
    plain.StudyInstanceUID, plain.SeriesInstanceUID, plain.SOPInstanceUID = study, series, _uid()
    plain.file_meta.MediaStorageSOPInstanceUID = plain.SOPInstanceUID
    plain.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    plain.Columns, plain.Rows = SIZE
    plain.NumberOfFrames, plain.FrameTime = frames, f"{frame_ms:g}"
    plain.CineRate = plain.RecommendedDisplayFrameRate = round(1000 / frame_ms)
    plain.SamplesPerPixel, plain.PhotometricInterpretation = 1, "MONOCHROME2"
    if "PlanarConfiguration" in plain:
        del plain.PlanarConfiguration
    region = plain.SequenceOfUltrasoundRegions[0]
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = SIZE[0] - 1, SIZE[1] - 1
    plain.LossyImageCompression, plain.LossyImageCompressionMethod = "01", "ISO_10918_1"
    plain.PixelData = encapsulate([pictures[at % len(pictures)] for at in range(frames)])
    plain["PixelData"].VR = "OB"
    plain["PixelData"].is_undefined_length = True
