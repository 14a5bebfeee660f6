"""A read as a structured report of TID 1500: findings as qualitative evaluations, each drawing as a measurement group.

Fields and answers are coded in a scheme of ours (99FONTANELLE) in the words of the read's schema; numbers are the
server's own, in UCUM; regions are SCOORD on the frame that they were drawn on. Nothing in it is verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ComprehensiveSRStorage

from annotations.exchange.coco import outline
from annotations.exchange.dicom_common import begin, code, own, references
from annotations.exchange.export_records import NOTICE, Export, Record
from annotations.label_schema.schema import Keyframe
from annotations.measurements.drawings import Drawing
from annotations.measurements.measure import MeasuredPayload
from studies.models import Clip

_UNITS = {
    "mm": ("mm", "millimeter"),
    "cm²": ("cm2", "square centimeter"),
    "°": ("deg", "degree"),
    "cm/s": ("cm/s", "centimeter per second"),
    "": ("1", "no units"),
}
_QUANTITIES = {
    "length": ("410668003", "SCT", "Length"),
    "area": ("42798000", "SCT", "Area"),
    "angle": ("1483009", "SCT", "Angle"),
}
_LANGUAGE = ("121049", "DCM", "Language of Content Item and Descendants")


def _item(kind: str, relation: str, name: Dataset, **values: Any) -> Dataset:
    """A content item (PS3.3, C.17.3): its value type, how it relates to its parent, its concept name."""
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    item.ConceptNameCodeSequence = Sequence([name])
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _container(relation: str, name: Dataset, items: list[Dataset]) -> Dataset:
    return _item("CONTAINER", relation, name, ContinuityOfContent="SEPARATE", ContentSequence=Sequence(items))


def _coded(relation: str, name: Dataset, value: Dataset) -> Dataset:
    return _item("CODE", relation, name, ConceptCodeSequence=Sequence([value]))


def _text(relation: str, name: Dataset, value: str) -> Dataset:
    return _item("TEXT", relation, name, TextValue=value)


def to_report(record: Record, export: Export, clips: dict[str, Clip]) -> Dataset:
    """One read as a Comprehensive SR; ``clips``: those of the export by the UIDs that it gives them."""
    report = begin(record, export, sop_class=ComprehensiveSRStorage, modality="SR", number=900)
    report.CompletionFlag, report.VerificationFlag = "COMPLETE", "UNVERIFIED"
    report.PerformedProcedureCodeSequence = Sequence([])
    report.ReferencedPerformedProcedureStepSequence = Sequence([])
    report.CurrentRequestedProcedureEvidenceSequence = Sequence([_evidence(record, export, clips)])
    report.ValueType, report.ContinuityOfContent = "CONTAINER", "SEPARATE"
    report.ConceptNameCodeSequence = Sequence([code("126000", "DCM", "Imaging Measurement Report")])
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "1500"
    report.ContentTemplateSequence = Sequence([template])
    report.ContentSequence = Sequence(list(_content(record, clips)))
    return report


def _evidence(record: Record, export: Export, clips: dict[str, Clip]) -> Dataset:
    """Every clip that the reader could see, series by series."""
    by_series: dict[str, list[tuple[str, str]]] = {}
    for sop_uid, clip in clips.items():
        if clip.study_id == record.study.pk:
            by_series.setdefault(export.uid(clip.series_uid), []).append((clip.sop_class, sop_uid))
    study = Dataset()
    study.StudyInstanceUID = record.study_uid
    series = []
    for uid, pairs in by_series.items():
        item = Dataset()
        item.SeriesInstanceUID, item.ReferencedSOPSequence = uid, references(*pairs)
        series.append(item)
    study.ReferencedSeriesSequence = Sequence(series)
    return study


def _content(record: Record, clips: dict[str, Clip]) -> Iterator[Dataset]:
    language = _coded("HAS CONCEPT MOD", code(*_LANGUAGE), code("en", "RFC5646", "English"))
    yield language
    yield _coded("HAS OBS CONTEXT", code("121005", "DCM", "Observer Type"), code("121006", "DCM", "Person"))
    observer = code("121008", "DCM", "Person Observer Name")
    yield _item("PNAME", "HAS OBS CONTEXT", observer, PersonName=record.reader)
    procedure = code("241467009", "SCT", "Ultrasonography of head")
    yield _coded("HAS CONCEPT MOD", code("121058", "DCM", "Procedure reported"), procedure)
    groups = [_group(drawing, clips) for drawing in record.findings.get("drawings", [])]
    groups += [_keyframe(keyframe, clips) for keyframe in record.findings.get("keyframes", [])]
    if groups:  # a container is not empty
        yield _container("CONTAINS", code("126010", "DCM", "Imaging Measurements"), groups)
    yield _container("CONTAINS", code("C0034375", "UMLS", "Qualitative Evaluations"), list(_evaluations(record)))


def _evaluations(record: Record) -> Iterator[Dataset]:
    """The findings in the words of their schema, the label, and what the reader knew."""
    schema, revision = record.schema, record.revision
    for name, value in record.findings.items():
        if name in ("schema", "keyframes", "drawings") or value is None or value == "":
            continue
        concept = own(name, schema.label(name))
        if isinstance(value, (bool, str)) or schema.options(name):
            yield _coded("CONTAINS", concept, own(f"{name}:{value}", schema.word(name, value)))
        else:
            yield _text("CONTAINS", concept, str(value))
    yield _text("CONTAINS", own("schema", "Label schema"), revision.schema)
    verdict = {True: "positive", False: "negative", None: "not said"}[revision.positive]
    yield _text("CONTAINS", own("positive", f"Positive by {revision.definition}"), verdict)
    yield _text("CONTAINS", own("flag_seen", "AI flag known before the commit"), revision.flag_seen or "none")
    if record.comment:
        yield _text("CONTAINS", code("121106", "DCM", "Comment"), record.comment)
    yield _text("CONTAINS", own("notice", "Notice"), NOTICE)


def _group(drawing: Drawing, clips: dict[str, Clip]) -> Dataset:
    """One drawing: its identifiers, where it lies, and what it measures."""
    items = [
        _text("HAS OBS CONTEXT", code("112039", "DCM", "Tracking Identifier"), drawing["uid"]),
        *_laterality(drawing),
    ]
    if drawing.get("label"):
        items.append(_text("CONTAINS", code("121106", "DCM", "Comment"), drawing["label"]))
    region = _region(drawing, clips)
    measured = drawing.get("measured")
    if measured and measured["value"] is not None:
        items.append(_number(measured, drawing, region))
    else:
        items.append(region)
    return _container("CONTAINS", code("125007", "DCM", "Measurement Group"), items)


def _laterality(drawing: Drawing) -> list[Dataset]:
    sides = {"right": ("24028007", "SCT", "Right"), "left": ("7771000", "SCT", "Left")}
    if drawing.get("side") not in sides:
        return []
    return [_coded("HAS CONCEPT MOD", code("272741003", "SCT", "Laterality"), code(*sides[drawing["side"]]))]


def _number(measured: MeasuredPayload, drawing: Drawing, region: Dataset) -> Dataset:
    quantity = (
        code(*_QUANTITIES[measured["quantity"]])
        if measured["quantity"] in _QUANTITIES
        else own(measured["quantity"], measured["quantity"])
    )
    named = own(drawing["preset"], drawing["preset"].replace("_", " ")) if drawing.get("preset") else quantity
    unit, meaning = _UNITS.get(measured["unit"], (measured["unit"], measured["unit"]))
    value = Dataset()
    value.NumericValue = f"{measured['value']:.4f}"
    value.MeasurementUnitsCodeSequence = Sequence([code(unit, "UCUM", meaning)])
    region.RelationshipType = "INFERRED FROM"
    return _item("NUM", "CONTAINS", named, MeasuredValueSequence=Sequence([value]), ContentSequence=Sequence([region]))


def _region(drawing: Drawing, clips: dict[str, Clip]) -> Dataset:
    """SCOORD: image pixels with (0, 0) at the outer corner of the first, as drawings are kept."""
    tool = drawing["tool"]
    kind = {"point": "POINT", "ellipse": "ELLIPSE"}.get(tool, "POLYLINE")
    points = outline(drawing) if tool in ("box", "freehand") else drawing["points"]
    closed = [*points, points[0]] if tool in ("box", "freehand") else points
    flat = [float(number) for point in closed for number in point]
    image = _image("SELECTED FROM", drawing["sop_uid"], drawing["frame"], clips)
    return _item(
        "SCOORD",
        "CONTAINS",
        code("111030", "DCM", "Image Region"),
        GraphicType=kind,
        GraphicData=flat,
        ContentSequence=Sequence([image]),
    )


def _image(relation: str, sop_uid: str, frame: int, clips: dict[str, Clip]) -> Dataset:
    clip = clips[sop_uid]
    (reference,) = references((clip.sop_class, sop_uid))
    if clip.frames > 1:
        reference.ReferencedFrameNumber = frame
    item = _item(
        "IMAGE", relation, code("121112", "DCM", "Source of Measurement"), ReferencedSOPSequence=Sequence([reference])
    )
    if relation == "SELECTED FROM":
        del item.ConceptNameCodeSequence
    return item


def _keyframe(keyframe: Keyframe, clips: dict[str, Clip]) -> Dataset:
    named = _text("HAS OBS CONTEXT", code("112039", "DCM", "Tracking Identifier"), "keyframe")
    shown = _image("CONTAINS", keyframe["sop_uid"], keyframe["frame"], clips)
    return _container("CONTAINS", code("125007", "DCM", "Measurement Group"), [named, shown])
