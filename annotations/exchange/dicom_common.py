"""What SR and SEG objects have in common: who it is about, what made it, and how it becomes bytes."""

from __future__ import annotations

import io
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.utils import timezone
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

from annotations.exchange.as_sent import as_sent, date_out, time_out
from annotations.exchange.export_records import NOTICE, Export, Record
from studies.dicom import clocks
from studies.models import Clip

SCHEME = "99FONTANELLE"
MAKER = "Fontanelle"
SEXES = ("F", "M", "O")


def code(value: str, scheme: str, meaning: str) -> CodedConcept:
    """A coded concept; a value of more than 16 characters is a Long Code Value (PS3.3 8.2)."""
    return CodedConcept(value, scheme, meaning[:64])


def own(value: str, meaning: str) -> CodedConcept:
    """A code of ours: what a schema calls its fields and answers."""
    return code(value, SCHEME, meaning)


def declare_scheme(made: Dataset) -> None:
    """Say whose codes 99FONTANELLE are (PS3.3 C.12.1)."""
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = SCHEME, "Fields and answers of Fontanelle's label schemas"
    scheme.CodingSchemeResponsibleOrganization = MAKER
    made.CodingSchemeIdentificationSequence = Sequence([scheme])


def references(*pairs: tuple[str, str]) -> Sequence:
    """(SOP class, SOP instance) pairs as a sequence."""
    items = []
    for sop_class, sop_uid in pairs:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
        items.append(item)
    return Sequence(items)


def person_name(name: str) -> str:
    """A name of one component as PN: the caret says that it is a family name and no more."""
    return name if "^" in name or not name else f"{name}^"


def header(record: Record, export: Export, *, sop_uid: str, clip: Clip) -> Dataset:
    """The patient, study and series of a clip, as the export names them, without its pixels."""
    made = _subject(record, export)
    # highdicom takes no more than one name, which is what the standard allows; files do come with several.
    made.PatientName = patient_name(record, export).split("\\")[0]
    # highdicom copies patient and study by a table of SOP classes in which a private one is missing.
    made.SOPClassUID, made.SOPInstanceUID = UltrasoundMultiFrameImageStorage, sop_uid
    made.SeriesInstanceUID, made.Modality = export.uid(clip.series_uid), "US"
    made.Rows, made.Columns, made.NumberOfFrames = clip.rows, clip.columns, clip.frames
    return made


def patient_name(record: Record, export: Export) -> str:
    return as_sent(record.study)["name"] if export.identified else person_name(record.patient_id)


def _subject(record: Record, export: Export) -> Dataset:
    """Patient and study, in the words of the study's own files. De-identified: stand-ins, and no dates."""
    said = as_sent(record.study) if export.identified else None
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientName = patient_name(record, export)
    made.PatientID = said["patient_id"] if said else record.patient_id
    if said and said["issuer"]:
        made.IssuerOfPatientID = said["issuer"]
    made.PatientBirthDate = date_out(said["birth_date"]) if said else ""
    made.PatientSex = said["sex"] if said and said["sex"] in SEXES else record.study.patient.sex
    made.StudyInstanceUID, made.StudyID = record.study_uid, said["study_id"] if said else ""
    made.StudyDate = date_out(said["study_date"]) if said else ""
    made.StudyTime = time_out(said["study_time"]) if said else ""
    made.AccessionNumber = record.study.accession if export.identified else ""
    made.ReferringPhysicianName = ""
    return made


def set_content_time(made: Dataset, record: Record, export: Export) -> None:
    """Now, in the zone that all times of the object are in (PS3.3, C.12.1.1.8): that of the study's files."""
    offset = as_sent(record.study)["utc_offset"] if export.identified else ""
    zone = clocks.zone(offset)
    now = timezone.localtime(timezone=zone)
    made.ContentDate, made.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    if zone is not None:
        made.TimezoneOffsetFromUTC = offset


def tracking_uid(record: Record, name: str) -> str:
    """The same for the same drawing of the same reader in every object of an export; of a stand-in's, a stand-in."""
    return f"2.25.{uuid5(NAMESPACE_URL, f'{SCHEME}/{record.study_uid}/{record.reader}/{name}').int}"


def describe_origin(made: Dataset, export: Export) -> None:
    """What made the object, and how far it tells who the infant is."""
    made.PatientIdentityRemoved = "NO" if export.identified else "YES"
    if not export.identified:
        made.DeidentificationMethod = "Fontanelle label export: stand-ins, no dates, no typed texts"
    made.SeriesDescription = f"{MAKER} labels. {NOTICE}"
    made.Manufacturer, made.ManufacturerModelName = MAKER, MAKER
    made.SoftwareVersions, made.DeviceSerialNumber = "0.1.0", "0"


def begin(record: Record, export: Export, *, sop_class: str, modality: str, number: int) -> Dataset:
    """A new object in the study of the read: patient, study, series, equipment."""
    made = _subject(record, export)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
    made.Modality, made.SeriesInstanceUID, made.SeriesNumber = modality, generate_uid(prefix=None), number
    made.InstanceNumber = 1
    set_content_time(made, record, export)
    describe_origin(made, export)
    declare_scheme(made)
    return made


def as_bytes(made: Dataset) -> bytes:
    """As a DICOM file (PS3.10)."""
    buffer: Any = io.BytesIO()
    dcmwrite(buffer, made, enforce_file_format=True)
    return bytes(buffer.getvalue())
