"""Regions as DICOM segmentations: an object for each clip and read, a segment for each name, a mask per frame."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pack_bits
from pydicom.sequence import Sequence
from pydicom.uid import SegmentationStorage, generate_uid

from annotations.exchange.coco import REGIONS, category, outline
from annotations.exchange.dicom_common import begin, code, own, references, tracking_uid
from annotations.exchange.export_records import NOTICE, Export, Record
from annotations.measurements.drawings import Drawing
from studies.models import Clip

_FINER = 4
"""Lines of the finer grid in each row and column of pixels."""
# A dimension is an element and the functional group that holds it. The frame of the clip stands as the position in a
# stack: the Referenced Frame Number lies a sequence deeper than a dimension can point to.
_SEGMENT_NUMBER = (0x0062000B, 0x0062000A)
_IN_STACK_POSITION = (0x00209057, 0x00209111)
Mask = NDArray[np.bool_]
"""[rows, columns]."""


def mask(drawing: Drawing, rows: int, columns: int) -> Mask:
    """The pixels whose middle half or more lies inside; drawn finer and averaged, so that edges fall where they are."""
    canvas = Image.new("L", (columns * _FINER, rows * _FINER), 0)
    points = [(x * _FINER - 0.5, y * _FINER - 0.5) for x, y in outline(drawing)]
    ImageDraw.Draw(canvas).polygon(points, fill=255)
    fine = np.asarray(canvas).reshape(rows, _FINER, columns, _FINER)
    covered: Mask = fine.mean(axis=(1, 3)) >= 127.5
    return covered


def to_segmentations(record: Record, export: Export, clips: dict[str, Clip]) -> list[Dataset]:
    """One object for each clip with a region; none where nobody drew one."""
    of_clip: dict[str, list[Drawing]] = defaultdict(list)
    for drawing in record.findings.get("drawings", []):
        if drawing["tool"] in REGIONS:
            of_clip[drawing["sop_uid"]].append(drawing)
    return [_segmentation(record, export, sop, clips[sop], drawn) for sop, drawn in of_clip.items()]


def _planes(drawn: list[Drawing], clip: Clip) -> dict[tuple[int, int], Mask]:
    """(segment, frame) → its mask; regions of one name on one frame are one mask."""
    names = list(dict.fromkeys(category(drawing) for drawing in drawn))
    planes: dict[tuple[int, int], Mask] = {}
    for drawing in drawn:
        key = (names.index(category(drawing)) + 1, drawing["frame"])
        covered = mask(drawing, clip.rows, clip.columns)
        planes[key] = covered | planes[key] if key in planes else covered
    return dict(sorted(planes.items()))


def _segmentation(record: Record, export: Export, sop_uid: str, clip: Clip, drawn: list[Drawing]) -> Dataset:
    planes = _planes(drawn, clip)
    made = begin(record, export, sop_class=SegmentationStorage, modality="SEG", number=901)
    made.ImageType = ["DERIVED", "PRIMARY"]
    made.PatientOrientation = ""  # a sector has none
    made.ContentLabel, made.ContentDescription = "REGIONS", f"Regions that a reader drew. {NOTICE}"
    made.ContentCreatorName = record.reader
    made.SegmentationType = "BINARY"
    made.LossyImageCompression = "00"
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PixelRepresentation = 1, "MONOCHROME2", 0
    made.Rows, made.Columns, made.NumberOfFrames = clip.rows, clip.columns, len(planes)
    made.BitsAllocated, made.BitsStored, made.HighBit = 1, 1, 0
    named: dict[str, list[Drawing]] = defaultdict(list)
    for drawing in drawn:
        named[category(drawing)].append(drawing)
    segments = [_segment(number, name, each, record) for number, (name, each) in enumerate(named.items(), 1)]
    made.SegmentSequence = Sequence(segments)
    made.DimensionOrganizationSequence, made.DimensionIndexSequence = _dimensions(generate_uid(prefix=None))
    made.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    made.PerFrameFunctionalGroupsSequence = Sequence([_frame(*key, clip, sop_uid) for key in planes])
    series = Dataset()
    series.SeriesInstanceUID = export.uid(clip.series_uid)
    series.ReferencedInstanceSequence = references((clip.sop_class, sop_uid))
    made.ReferencedSeriesSequence = Sequence([series])
    bits = pack_bits(np.stack(list(planes.values())).astype(np.uint8))
    made.PixelData = bits
    made["PixelData"].VR = "OB"
    return made


def _segment(number: int, name: str, drawn: list[Drawing], record: Record) -> Dataset:
    made = Dataset()
    made.SegmentNumber, made.SegmentLabel = number, name[:64]
    made.SegmentAlgorithmType = "MANUAL"
    made.SegmentedPropertyCategoryCodeSequence = Sequence(
        [code("49755003", "SCT", "Morphologically Abnormal Structure")]
    )
    made.SegmentedPropertyTypeCodeSequence = Sequence([own("region", name)])
    # A region that is a segment alone is followed by what the report calls it; several of one name by that name.
    followed = drawn[0]["uid"] if len(drawn) == 1 else name
    made.TrackingID, made.TrackingUID = followed[:64], tracking_uid(record, followed)
    return made


def _dimensions(uid: str) -> tuple[Sequence, Sequence]:
    organisation = Dataset()
    organisation.DimensionOrganizationUID = uid
    pointers = []
    for tag, group in (_SEGMENT_NUMBER, _IN_STACK_POSITION):
        pointer = Dataset()
        pointer.DimensionOrganizationUID = uid
        pointer.DimensionIndexPointer, pointer.FunctionalGroupPointer = tag, group
        pointers.append(pointer)
    return Sequence([organisation]), Sequence(pointers)


def _frame(segment: int, frame: int, clip: Clip, sop_uid: str) -> Dataset:
    """Which segment this mask is, and of which frame of the clip."""
    made, content, identified, derived = Dataset(), Dataset(), Dataset(), Dataset()
    content.DimensionIndexValues = [segment, frame]
    content.StackID, content.InStackPositionNumber = "1", frame
    identified.ReferencedSegmentNumber = segment
    (source,) = references((clip.sop_class, sop_uid))
    if clip.frames > 1:
        source.ReferencedFrameNumber = frame
    # The mask has the rows and columns of its frame (PS3.3 C.7.6.16.2.6).
    source.SpatialLocationsPreserved = "YES"
    source.PurposeOfReferenceCodeSequence = Sequence(
        [code("121322", "DCM", "Source Image for Image Processing Operation")]
    )
    derived.SourceImageSequence = Sequence([source])
    derived.DerivationCodeSequence = Sequence([code("113076", "DCM", "Segmentation")])
    made.FrameContentSequence = Sequence([content])
    made.SegmentIdentificationSequence = Sequence([identified])
    made.DerivationImageSequence = Sequence([derived])
    return made
