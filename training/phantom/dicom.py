"""Phantom examinations as DICOM ultrasound objects (PS3.3 A.6 and A.7), marked as phantoms."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from training.phantom.constants import PHANTOM_COMMENT, PHANTOM_MANUFACTURER
from training.phantom.examination import PhantomClip, PhantomExam

IMPLEMENTATION_UID = "2.25.304561985512067349024618867124302919127"
JPEG_QUALITY = 88
CENTIMETRES = 3


def write_exam(exam: PhantomExam, out: Path) -> list[Path]:
    """Write each clip to OUT/<patient>/<study>/<nn>.dcm; returns the paths in acquisition order."""
    folder = Path(out) / exam.plan.patient_id / exam.study_uid
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, clip in enumerate(exam.clips, start=1):
        path = folder / f"{number:02d}.dcm"
        dataset(exam, clip, number=number).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def dataset(exam: PhantomExam, clip: PhantomClip, *, number: int) -> Dataset:
    """One clip as a data set with file meta information, ready to be saved."""
    ds = Dataset()
    storage = UltrasoundImageStorage if clip.still else UltrasoundMultiFrameImageStorage
    ds.SOPClassUID, ds.SOPInstanceUID = storage, clip.sop_uid
    ds.SpecificCharacterSet = "ISO_IR 192"
    _patient_and_study(ds, exam)
    _series_and_device(ds, exam, clip)
    _image(ds, clip, number)
    if not clip.still:
        _cine(ds, clip)
    ds.SequenceOfUltrasoundRegions = Sequence([_region(clip)])
    _pixels(ds, clip)
    ds.file_meta = _meta(ds, clip)
    return ds


def _meta(ds: Dataset, clip: PhantomClip) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = JPEGBaseline8Bit if clip.compressed else ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "FONTANELLE_PH_1"
    return meta


def _day(moment: datetime) -> str:
    return moment.strftime("%Y%m%d")


def _time(moment: datetime) -> str:
    return moment.strftime("%H%M%S.%f")


def _patient_and_study(ds: Dataset, exam: PhantomExam) -> None:
    plan = exam.plan
    ds.PatientName, ds.PatientID, ds.PatientSex = plan.patient_name, plan.patient_id, plan.sex
    ds.PatientBirthDate = plan.birth_date.strftime("%Y%m%d")
    ds.PatientAge = f"{(plan.scanned_at.date() - plan.birth_date).days:03d}D"
    ds.PatientComments = PHANTOM_COMMENT
    ds.StudyInstanceUID = exam.study_uid
    ds.StudyDate, ds.StudyTime = _day(plan.scanned_at), _time(plan.scanned_at)
    ds.StudyID = f"E{plan.index:05d}"
    ds.AccessionNumber = f"{plan.patient_id[2:6]}{plan.index:06d}"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = "US cranial, phantom"


def _series_and_device(ds: Dataset, exam: PhantomExam, clip: PhantomClip) -> None:
    ds.Modality = "US"
    ds.SeriesInstanceUID, ds.SeriesNumber = clip.series_uid, clip.series_number
    ds.SeriesDescription = clip.view.name if not clip.still else clip.view.name.partition(" still")[0] + " still"
    ds.SeriesDate, ds.SeriesTime = _day(clip.acquired_at), _time(clip.acquired_at)
    ds.ProtocolName = "Neonatal head"
    ds.BodyPartExamined = "HEAD"
    ds.Manufacturer = PHANTOM_MANUFACTURER
    ds.ManufacturerModelName = clip.device.model
    ds.DeviceSerialNumber = clip.device.serial
    ds.SoftwareVersions = clip.device.software
    ds.InstitutionName = "Phantom Ward"
    ds.StationName = clip.device.serial.replace("-", "")
    ds.TransducerData = [clip.device.probe]


def _image(ds: Dataset, clip: PhantomClip, number: int) -> None:
    ds.InstanceNumber = number
    ds.ImageType = ["ORIGINAL", "PRIMARY", "NEONATAL HEAD", "0001"]
    ds.ContentDate, ds.ContentTime = _day(clip.acquired_at), _time(clip.acquired_at)
    ds.AcquisitionDate, ds.AcquisitionTime = ds.ContentDate, ds.ContentTime
    ds.AcquisitionDateTime = ds.ContentDate + ds.ContentTime
    ds.PatientOrientation = ""
    ds.ImageComments = f"{clip.view.name}. {PHANTOM_COMMENT}"
    ds.ViewName = clip.view.label
    ds.ContentQualification = "RESEARCH"
    ds.BurnedInAnnotation = "YES"
    ds.NumberOfStages, ds.StageNumber = 1, 1


def _cine(ds: Dataset, clip: PhantomClip) -> None:
    ds.NumberOfFrames = len(clip.frames)
    ds.FrameTime = f"{clip.device.frame_ms:g}"
    ds.FrameIncrementPointer = 0x00181063
    ds.CineRate = ds.RecommendedDisplayFrameRate = round(1000 / clip.device.frame_ms)
    ds.StartTrim, ds.StopTrim = 1, len(clip.frames)
    ds.EffectiveDuration = f"{len(clip.frames) * clip.device.frame_ms / 1000:.3f}"
    ds.PreferredPlaybackSequencing = 0


def _region(clip: PhantomClip) -> Dataset:
    """The calibrated region (PS3.3 C.8.5.5): 2D tissue, centimetres per pixel both ways."""
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = clip.region.x0, clip.region.y0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = clip.region.x1, clip.region.y1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = CENTIMETRES
    region.PhysicalDeltaX = region.PhysicalDeltaY = clip.mm_per_pixel / 10
    region.TransducerFrequency = 7500
    return region


def _pixels(ds: Dataset, clip: PhantomClip) -> None:
    colour = clip.frames.ndim == 4
    ds.SamplesPerPixel = 3 if colour else 1
    ds.Rows, ds.Columns = clip.frames.shape[1:3]
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.UltrasoundColorDataPresent = 0
    if colour:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = ("YBR_FULL_422" if clip.compressed else "RGB") if colour else "MONOCHROME2"
    if not clip.compressed:
        ds.LossyImageCompression = "00"
        raw = clip.frames.tobytes()
        ds.PixelData = raw + b"\0" * (len(raw) % 2)
        ds["PixelData"].VR = "OB"
        return
    encoded = [_jpeg(frame) for frame in clip.frames]
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
    ds.LossyImageCompressionRatio = f"{clip.frames.nbytes / sum(map(len, encoded)):.2f}"
    ds.PixelData = encapsulate(encoded)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    """JPEG baseline: grey, or YCbCr with 4:2:2 sampling."""
    buffer = io.BytesIO()
    options = {"subsampling": "4:2:2"} if frame.ndim == 3 else {}
    Image.fromarray(frame).save(buffer, "JPEG", quality=JPEG_QUALITY, **options)
    return buffer.getvalue()
