"""A read as a structured report of TID 1500, written by highdicom: a measurement group for each drawing and keyframe.

A drawing is TID 1410 (planar ROI): its tracking UID, the finding, the site with its laterality, the region as SCOORD on
its frame, and the server's own numbers in UCUM. The findings are one group of qualitative evaluations in the words of
the read's schema, coded in a scheme of ours that the object declares. Nothing in it is verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from highdicom import sr
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage, generate_uid

from annotations.exchange.coco import outline
from annotations.exchange.dicom_common import (
    MAKER,
    SCHEME,
    declare_scheme,
    describe_origin,
    header,
    own,
    patient_name,
    person_name,
    set_content_time,
    tracking_uid,
)  # fmt: skip
from annotations.exchange.export_records import NOTICE, Export, Record
from annotations.label_schema.schema import Keyframe
from annotations.measurements.drawings import Drawing
from annotations.measurements.measure import MeasuredPayload, Unit
from studies.models import Clip

Concept = sr.CodedConcept
Group = sr.PlanarROIMeasurementsAndQualitativeEvaluations | sr.MeasurementsAndQualitativeEvaluations

PERSON = Concept("121006", "DCM", "Person")
ENGLISH = Concept("en", "RFC5646", "English")
ULTRASONOGRAPHY = Concept("16310003", "SCT", "Diagnostic ultrasonography")
COMMENT = Concept("121106", "DCM", "Comment")
BRAIN = Concept("12738006", "SCT", "Brain")
LATERAL_VENTRICLE = Concept("66720007", "SCT", "Lateral Ventricle")
SITES = {
    "vi": LATERAL_VENTRICLE,
    "ahw": LATERAL_VENTRICLE,
    "tod": LATERAL_VENTRICLE,
    "third_ventricle": Concept("49841001", "SCT", "Third ventricle"),
}
SIDES = {"right": Concept("24028007", "SCT", "Right"), "left": Concept("7771000", "SCT", "Left")}
# Measures of neonatal cranial ultrasound that no public scheme names as they are taken here, and those that one does.
PRESETS = {
    "vi": Concept("vi", SCHEME, "Ventricular index (Levene)"),
    "ahw": Concept("ahw", SCHEME, "Anterior horn width"),
    "tod": Concept("tod", SCHEME, "Thalamo-occipital distance"),
    "third_ventricle": Concept("third_ventricle", SCHEME, "Third ventricle width"),
    "ri": Concept("12023-8", "LN", "Resistivity Index"),
}
QUANTITIES = {
    "length": Concept("410668003", "SCT", "Length"),
    "area": Concept("42798000", "SCT", "Area"),
    "angle": Concept("1483009", "SCT", "Angle"),
    "resistive_index": PRESETS["ri"],
    "velocity": Concept("velocity", SCHEME, "Velocity at a point"),
}
# What a measurement carries beside its value; the unit is the end of the name.
FURTHER = {
    "width": Concept("103355008", "SCT", "Width"),
    "height": Concept("121207", "DCM", "Height"),
    "first_axis": Concept("first_axis", SCHEME, "First axis of the ellipse as drawn"),
    "second_axis": Concept("second_axis", SCHEME, "Second axis of the ellipse as drawn"),
    "perimeter": Concept("131191004", "SCT", "Perimeter"),
    "psv": Concept("11726-7", "LN", "Peak Systolic Velocity"),
    "edv": Concept("11653-3", "LN", "End Diastolic Velocity"),
}
UNITS: dict[Unit, Concept] = {
    "mm": Concept("mm", "UCUM", "millimeter"),
    "cm²": Concept("cm2", "UCUM", "square centimeter"),
    "°": Concept("deg", "UCUM", "degree"),
    "cm/s": Concept("cm/s", "UCUM", "centimeter per second"),
    "Hz": Concept("Hz", "UCUM", "hertz"),
    "": Concept("1", "UCUM", "no units"),
}
VERDICTS = {True: "positive", False: "negative", None: "not said"}
GRAPHICS = {"point": "POINT", "ellipse": "ELLIPSE"}
CLOSED = ("box", "freehand")


def to_report(record: Record, export: Export, clips: dict[str, Clip]) -> Dataset:
    """The read as Comprehensive SR. ``clips`` by the UID that the export gives them."""
    evidence = [
        header(record, export, sop_uid=sop_uid, clip=clip)
        for sop_uid, clip in clips.items()
        if clip.study_id == record.study.pk
    ]
    report = sr.ComprehensiveSR(
        evidence=evidence,
        content=_content(record, clips)[0],
        series_instance_uid=generate_uid(prefix=None),
        series_number=900,
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
    )
    report.PatientName = patient_name(record, export)
    _name_classes(report, clips)
    set_content_time(report, record, export)
    describe_origin(report, export)
    declare_scheme(report)
    return report


def _name_classes(report: Dataset, clips: dict[str, Clip]) -> None:
    """Refer to each clip under the SOP class that it has; highdicom takes no private one, all begin as ultrasound."""

    def correct(item: Dataset, element: DataElement) -> None:
        if element.keyword == "ReferencedSOPClassUID" and item.ReferencedSOPInstanceUID in clips:
            element.value = clips[item.ReferencedSOPInstanceUID].sop_class

    report.walk(correct)


def _content(record: Record, clips: dict[str, Clip]) -> sr.MeasurementReport:
    groups: list[Group] = [_findings(record)]
    groups += [_drawing(drawing, record, clips) for drawing in record.findings.get("drawings", [])]
    groups += [_keyframe(keyframe, record, clips) for keyframe in record.findings.get("keyframes", [])]
    observer = sr.PersonObserverIdentifyingAttributes(name=person_name(record.reader))
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(sr.ObserverContext(PERSON, observer)),
        procedure_reported=ULTRASONOGRAPHY,
        imaging_measurements=groups,
        language_of_content_item_and_descendants=sr.LanguageOfContentItemAndDescendants(ENGLISH),
    )


# ---------- findings ----------


def _findings(record: Record) -> Group:
    """TID 1501: the findings in the words of their schema, the label, and what the reader knew."""
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(record, "findings"),
        finding_type=own("read", "What a reader found"),
        finding_sites=[sr.FindingSite(anatomic_location=BRAIN)],
        qualitative_evaluations=list(_evaluations(record)),
    )
    group[0].ContentSequence.extend(_texts(record))
    return group


def _answers(record: Record) -> Iterator[tuple[str, Any, bool]]:
    """Each field that was answered, its value, and whether the schema has words for its values."""
    for name, value in record.findings.items():
        if name not in ("schema", "keyframes", "drawings") and value is not None and value != "":
            yield name, value, isinstance(value, (bool, str)) or bool(record.schema.options(name))


def _evaluations(record: Record) -> Iterator[sr.QualitativeEvaluation]:
    schema, verdict = record.schema, VERDICTS[record.revision.positive]
    for name, value, worded in _answers(record):
        if worded:
            yield sr.QualitativeEvaluation(
                own(name, schema.label(name)), own(f"{name}:{value}", schema.word(name, value))
            )
    definition = own("positive", f"Positive by {record.revision.definition}")
    yield sr.QualitativeEvaluation(definition, own(f"positive:{verdict}", verdict))


def _texts(record: Record) -> Iterator[sr.TextContentItem]:
    for name, value, worded in _answers(record):
        if not worded:
            yield _text(own(name, record.schema.label(name)), str(value))
    yield _text(own("schema", "Label schema"), record.revision.schema)
    yield _text(own("flag_seen", "AI flag known before the commit"), record.revision.flag_seen or "none")
    if record.comment:
        yield _text(COMMENT, record.comment)
    yield _text(own("notice", "Notice"), NOTICE)


def _text(name: Concept, value: str) -> sr.TextContentItem:
    return sr.TextContentItem(name, value, relationship_type="CONTAINS")


# ---------- drawings and keyframes ----------


def _tracking(record: Record, name: str) -> sr.TrackingIdentifier:
    return sr.TrackingIdentifier(uid=tracking_uid(record, name), identifier=name)


def _drawing(drawing: Drawing, record: Record, clips: dict[str, Clip]) -> Group:
    group = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(record, drawing["uid"]),
        referenced_region=_region(drawing, clips),
        finding_type=_finding(drawing),
        finding_sites=[_site(drawing)],
        measurements=list(_measurements(drawing)) or None,
    )
    if drawing.get("label"):
        group[0].ContentSequence.append(_text(COMMENT, drawing["label"]))
    return group


def _finding(drawing: Drawing) -> Concept:
    preset, tool = drawing.get("preset"), drawing["tool"]
    return PRESETS[preset] if preset else own(f"drawing:{tool}", f"Drawing: {tool}")


def _site(drawing: Drawing) -> sr.FindingSite:
    where = SITES.get(drawing.get("preset", ""), BRAIN)
    return sr.FindingSite(anatomic_location=where, laterality=SIDES.get(drawing.get("side", "")))


def _measurements(drawing: Drawing) -> Iterator[sr.Measurement]:
    """The value of the drawing, then the further numbers that it carries; none where it has no scale."""
    measured = drawing.get("measured")
    if not measured or measured["value"] is None:
        return
    preset, quantity = drawing.get("preset"), measured["quantity"]
    scale = _scale(measured)
    concept = PRESETS[preset] if preset else QUANTITIES[quantity]
    yield sr.Measurement(concept, measured["value"], UNITS[measured["unit"]], method=scale)
    for name, value in measured["more"].items():
        concept, unit = _further(name)
        yield sr.Measurement(concept, value, UNITS[unit], method=scale)


def _scale(measured: MeasuredPayload) -> Concept | None:
    """What the number rests on where that is no ultrasound region, as the method of measuring, in 64 characters."""
    source = measured.get("scale", "").removeprefix("scale from ").split(",")[0]
    return own(f"scale:{source}", f"Scale from {source}, not from US regions") if source else None


def _further(name: str) -> tuple[Concept, Unit]:
    """``psv_cm_s`` is a peak systolic velocity in cm/s."""
    endings: tuple[tuple[str, Unit], ...] = (("_cm_s", "cm/s"), ("_Hz", "Hz"), ("_mm", "mm"))
    for ending, unit in endings:
        if name.endswith(ending):
            return FURTHER[name.removesuffix(ending)], unit
    raise KeyError(name)


def _region(drawing: Drawing, clips: dict[str, Clip]) -> sr.ImageRegion:
    """SCOORD: image pixels with (0, 0) at the outer corner of the first, as drawings are kept (PS3.3 C.18.6.1.1)."""
    tool = drawing["tool"]
    points = outline(drawing) if tool in CLOSED else drawing["points"]
    closed = [*points, points[0]] if tool in CLOSED else points
    return sr.ImageRegion(
        graphic_type=GRAPHICS.get(tool, "POLYLINE"),
        graphic_data=np.array(closed, dtype=float),
        source_image=sr.SourceImageForRegion(*_reference(drawing, clips)),
    )


def _keyframe(keyframe: Keyframe, record: Record, clips: dict[str, Clip]) -> Group:
    name = f"keyframe {keyframe['sop_uid']}/{keyframe['frame']}"
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(record, name),
        finding_type=own("keyframe", "Key frame"),
        source_images=[sr.SourceImageForMeasurementGroup(*_reference(keyframe, clips))],
    )


def _reference(place: Drawing | Keyframe, clips: dict[str, Clip]) -> tuple[str, str, list[int] | None]:
    """An ultrasound SOP class (see `_name_classes`), the SOP instance, and the frame where the instance has several."""
    clip = clips[place["sop_uid"]]
    if clip.frames > 1:
        return UltrasoundMultiFrameImageStorage, place["sop_uid"], [place["frame"]]
    return UltrasoundImageStorage, place["sop_uid"], None
