"""Which elements describe a study with its patient, and which a series (PS3.3, A.1): the rest is of the instance.

pydicom's dictionary is loaded when somebody asks first: a web process starts without it.
"""

from __future__ import annotations

from functools import cache

_STUDY = (
    "SpecificCharacterSet StudyDate StudyTime AccessionNumber IssuerOfAccessionNumberSequence ReferringPhysicianName "
    "TimezoneOffsetFromUTC StudyDescription ProcedureCodeSequence PhysiciansOfRecord NameOfPhysiciansReadingStudy "
    "AdmittingDiagnosesDescription ReferencedStudySequence PatientName PatientID IssuerOfPatientID TypeOfPatientID "
    "IssuerOfPatientIDQualifiersSequence PatientBirthDate PatientBirthTime PatientSex OtherPatientIDsSequence "
    "OtherPatientNames PatientAge PatientSize PatientWeight EthnicGroup Occupation AdditionalPatientHistory "
    "PregnancyStatus PatientComments StudyInstanceUID StudyID ReasonForPerformedProcedureCodeSequence AdmissionID "
    "RequestingPhysician RequestedProcedureDescription PatientState"
)
_SERIES = (
    "Modality SeriesDescription SeriesDescriptionCodeSequence SeriesDate SeriesTime Manufacturer InstitutionName "
    "InstitutionAddress StationName InstitutionalDepartmentName PerformingPhysicianName OperatorsName "
    "ManufacturerModelName ReferencedPerformedProcedureStepSequence BodyPartExamined DeviceSerialNumber "
    "SoftwareVersions ProtocolName PatientPosition SeriesInstanceUID SeriesNumber Laterality "
    "PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepID "
    "PerformedProcedureStepDescription PerformedProtocolCodeSequence RequestAttributesSequence TransducerData"
)


@cache
def study() -> frozenset[str]:
    """Tags, eight hexadecimal digits."""
    return _tags(_STUDY)


@cache
def series() -> frozenset[str]:
    """Tags, eight hexadecimal digits."""
    return _tags(_SERIES)


def _tags(keywords: str) -> frozenset[str]:
    from pydicom.datadict import tag_for_keyword

    tags = {keyword: tag_for_keyword(keyword) for keyword in keywords.split()}
    return frozenset(f"{tag:08X}" for tag in tags.values() if tag is not None)
