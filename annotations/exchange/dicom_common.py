"""What SR and SEG objects have in common: the modules of patient, study, series and equipment, codes, the encoding."""

from __future__ import annotations

import io
from typing import Any

from django.utils import timezone
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from annotations.exchange.export_records import NOTICE, Export, Record

SCHEME = "99FONTANELLE"
MAKER = "Fontanelle"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence (PS3.3, 8.8)."""
    coded = Dataset()
    coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = value[:16], scheme, meaning[:64]
    return coded


def own(value: str, meaning: str) -> Dataset:
    """A code of ours: what a schema calls its fields and answers."""
    return code(value, SCHEME, meaning)


def references(*pairs: tuple[str, str]) -> Sequence:
    """(SOP class, SOP instance) pairs as a sequence."""
    items = []
    for sop_class, sop_uid in pairs:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
        items.append(item)
    return Sequence(items)


def begin(record: Record, export: Export, *, sop_class: str, modality: str, number: int) -> Dataset:
    """A new object in the study of the read: patient, study, series, equipment. De-identified: no dates but ours."""
    study, patient, now = record.study, record.study.patient, timezone.now()
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
    made.PatientName = patient.name if export.identified else record.patient_id
    made.PatientID = record.patient_id
    made.PatientBirthDate = patient.birth_date.strftime("%Y%m%d") if export.identified and patient.birth_date else ""
    made.PatientSex = patient.sex
    made.PatientIdentityRemoved = "NO" if export.identified else "YES"
    if not export.identified:
        made.DeidentificationMethod = "Fontanelle label export: stand-ins, no dates, no typed texts"
    made.StudyInstanceUID, made.StudyID = record.study_uid, ""
    acquired = timezone.localtime(study.acquired_at) if export.identified and study.acquired_at else None
    made.StudyDate = acquired.strftime("%Y%m%d") if acquired else ""
    made.StudyTime = acquired.strftime("%H%M%S") if acquired else ""
    made.AccessionNumber = study.accession if export.identified else ""
    made.ReferringPhysicianName = ""
    made.Modality, made.SeriesInstanceUID, made.SeriesNumber = modality, generate_uid(prefix=None), number
    made.SeriesDescription = f"{MAKER} labels. {NOTICE}"
    made.Manufacturer, made.ManufacturerModelName = MAKER, MAKER
    made.SoftwareVersions, made.DeviceSerialNumber = "0.1.0", "0"
    made.InstanceNumber = 1
    made.ContentDate, made.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    return made


def as_bytes(made: Dataset) -> bytes:
    """As a DICOM file (PS3.10)."""
    buffer: Any = io.BytesIO()
    dcmwrite(buffer, made, enforce_file_format=True)
    return bytes(buffer.getvalue())
