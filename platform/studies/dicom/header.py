"""What a DICOM header says about a clip, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal, cast

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from studies.dicom import (
    attributes,
    clocks,
    frame_damage,
    frame_timing,
    greys,
    identifiers,
    person_names,
    pixel_layout,
    regions,
    video,
    view_labels,
)
from studies.dicom.bounded_reader import DicomFile, Refused, open_dicom
from studies.dicom.clocks import Written
from studies.dicom.facts import Acquisition, AsSent, HeaderFacts, Identity, PatientFacts, ViewGuess
from studies.dicom.identifiers import Identifiers
from studies.dicom.kinds import is_video

DICOMDIR = "1.2.840.10008.1.3.10"
_KEYWORDS = (
    "SpecificCharacterSet SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID SeriesNumber "
    "InstanceNumber Modality Manufacturer ManufacturerModelName PatientID IssuerOfPatientID PatientName "
    "PatientBirthDate PatientSex PatientAge InstitutionName AccessionNumber StudyID StudyDescription SeriesDescription "
    "ProtocolName ImageComments ViewName ViewCodeSequence ImageLaterality Laterality StudyDate StudyTime SeriesDate "
    "SeriesTime AcquisitionDate AcquisitionTime AcquisitionDateTime ContentDate ContentTime TimezoneOffsetFromUTC "
    "PhotometricInterpretation Rows Columns NumberOfFrames SamplesPerPixel PlanarConfiguration BitsAllocated "
    "BitsStored HighBit FrameTime FrameTimeVector FrameIncrementPointer CineRate RecommendedDisplayFrameRate "
    "WindowCenter WindowWidth VOILUTFunction PixelRepresentation PresentationLUTShape PixelPresentation "
    "RescaleSlope RescaleIntercept ModalityLUTSequence VOILUTSequence SharedFunctionalGroupsSequence "
    + " ".join(
        f"{name}PaletteColorLookupTable{part} Segmented{name}PaletteColorLookupTableData"
        for name in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    )
    + " SequenceOfUltrasoundRegions PerFrameFunctionalGroupsSequence SharedFunctionalGroupsSequence PixelSpacing"
    " ImagerPixelSpacing NominalScannedPixelSpacing"
)
TAGS = [tag for keyword in _KEYWORDS.split() if (tag := tag_for_keyword(keyword)) is not None]
TAGS.append(greys.OVERLAY_ROWS)


def read(path: Path) -> HeaderFacts:
    """What the header of the file says; raises Refused."""
    opened = open_dicom(path, TAGS)
    dataset = opened.dataset
    _refuse_directories(dataset)
    found, oddities = identifiers.read(dataset)
    opened.warnings += oddities
    pixels = pixel_layout.check(opened)
    greys.say_what_is_not_applied(opened, pixels)
    facts = pixels.as_facts()
    if is_video(opened.syntax):
        facts = video.counted(opened, facts)
    else:
        frame_damage.say_what_is_missing(opened, pixels)
    notes = [warning for warning in opened.warnings if warning not in oddities]
    timing = _timing(dataset, opened)
    return {
        **_identity(dataset, found),
        **timing,
        "transfer_syntax": str(opened.syntax),
        "as_sent": _as_sent(dataset),
        "patient": _patient(dataset, timing["study_at"] or timing["acquired_at"], opened.warnings),
        "pixels": facts,
        **frame_timing.read(dataset, facts["frames"]),
        **_view(dataset, facts["frames"]),
        "regions": regions.of_clip(dataset, pixels, opened),
        "oddities": oddities,
        "warnings": opened.warnings,
        "pixel_notes": notes,
    }


def _refuse_directories(dataset: Dataset) -> None:
    kind = str(getattr(dataset, "file_meta", Dataset()).get("MediaStorageSOPClassUID", ""))
    if DICOMDIR in (kind, attributes.text(dataset, "SOPClassUID")):
        raise Refused("dicomdir", "This is a DICOMDIR, the index of a disc. Send the image files that it lists.")


def _identity(dataset: Dataset, found: Identifiers) -> Identity:
    return {
        **found,
        "modality": attributes.text(dataset, "Modality", 16),
        "manufacturer": attributes.text(dataset, "Manufacturer"),
        "device": attributes.text(dataset, "ManufacturerModelName"),
        "accession": attributes.text(dataset, "AccessionNumber"),
        "description": attributes.text(dataset, "StudyDescription", 128),
        "series_number": attributes.whole(dataset, "SeriesNumber"),
        "instance_number": attributes.whole(dataset, "InstanceNumber"),
    }


def _as_sent(dataset: Dataset) -> AsSent:
    return {
        "patient_id": attributes.as_written(dataset, "PatientID"),
        "issuer": attributes.as_written(dataset, "IssuerOfPatientID"),
        "name": attributes.as_written(dataset, "PatientName", person_names.MOST),
        "birth_date": attributes.as_written(dataset, "PatientBirthDate", 16),
        "sex": attributes.as_written(dataset, "PatientSex", 16),
        "institution": attributes.as_written(dataset, "InstitutionName"),
        "study_date": attributes.as_written(dataset, "StudyDate", 16),
        "study_time": attributes.as_written(dataset, "StudyTime", 16),
        "utc_offset": attributes.as_written(dataset, "TimezoneOffsetFromUTC", 16),
        "study_id": attributes.as_written(dataset, "StudyID", 16),
    }


def _patient(dataset: Dataset, examined_at: str | None, warnings: list[str]) -> PatientFacts:
    examined = datetime.fromisoformat(examined_at) if examined_at else None
    birth, from_age = attributes.birth_date(dataset, examined, warnings)
    sex = attributes.text(dataset, "PatientSex", 1)
    return {
        "id": attributes.text(dataset, "PatientID"),
        "issuer": attributes.text(dataset, "IssuerOfPatientID"),
        "name": attributes.as_written(dataset, "PatientName", person_names.MOST),
        "birth_date": birth,
        "birth_date_from_age": from_age,
        "sex": cast(Literal["F", "M", "O", ""], sex if sex in ("F", "M", "O") else ""),
        "institution": attributes.text(dataset, "InstitutionName"),
    }


def _timing(dataset: Dataset, opened: DicomFile) -> Acquisition:
    """When the study and the clip were acquired, in the device's own time.

    A moment has an offset from UTC where its own element states one; ``utc_offset`` counts for the others.
    """
    study = _best(_study_moments(dataset))
    clip = _best(_clip_moments(dataset))
    if clip is not None and clip.at is None:
        opened.warnings.append("The clip has a date but no time: sorted by its instance number.")
    _say_of_offset(opened)
    return {
        "study_at": _believable(study, "study", opened),
        "acquired_at": _believable(clip, "clip", opened),
        "utc_offset": attributes.text(dataset, "TimezoneOffsetFromUTC", 5),
    }


def _say_of_offset(opened: DicomFile) -> None:
    stated = attributes.text(opened.dataset, "TimezoneOffsetFromUTC", 16)
    if stated and clocks.zone(stated) is None:
        opened.warnings.append(f"The offset from UTC that it states, {stated}, is none: times are taken as the site's.")


def _pairs(dataset: Dataset, *names: str) -> Iterator[Written]:
    for name in names:
        if (written := attributes.pair(dataset, f"{name}Date", f"{name}Time")) is not None:
            yield written


def _clip_moments(dataset: Dataset) -> Iterator[Written]:
    """From the most exact element to the least."""
    if (stamp := attributes.stamp(dataset, "AcquisitionDateTime")) is not None:
        yield stamp
    yield from _pairs(dataset, "Acquisition", "Content", "Series", "Study")


def _study_moments(dataset: Dataset) -> Iterator[Written]:
    """The study's own; the time of a series or a clip on the same day counts where the study has none."""
    study = next(_pairs(dataset, "Study"), None)
    if study is not None:
        yield study
        yield from (each for each in _pairs(dataset, "Series", "Acquisition", "Content") if each.on == study.on)


def _best(moments: Iterator[Written]) -> Written | None:
    """The first that has a time; a day alone only where none has."""
    found = list(moments)
    return next((each for each in found if each.at is not None), found[0] if found else None)


def _believable(written: Written | None, what: str, opened: DicomFile) -> str | None:
    if written is None:
        opened.warnings.append(f"The {what} has no readable date: sorted by instance number or arrival.")
        return None
    moment = written.moment
    offset = moment.tzinfo or clocks.zone(attributes.text(opened.dataset, "TimezoneOffsetFromUTC"))
    if clocks.is_future(moment.replace(tzinfo=offset)):
        stated = f"{moment:%Y-%m-%d %H:%M}" if offset else str(moment.date())
        opened.warnings.append(f"The {what}'s date {stated} lies in the future: sorted by instance number or arrival.")
        return None
    return moment.isoformat()


def _view(dataset: Dataset, frames: int) -> ViewGuess:
    texts = [
        *_code_meanings(dataset),
        *(
            attributes.text(dataset, name)
            for name in ("SeriesDescription", "ViewName", "ImageComments", "ProtocolName")
        ),
    ]
    # A view code names the plane in full; what the device or the person wrote is the better label.
    view, _ = view_labels.suggest_view(texts)
    written = [text for text in texts[len(texts) - 4 :] if text]
    laterality = attributes.text(dataset, "ImageLaterality", 1) or attributes.text(dataset, "Laterality", 1)
    plane = view_labels.suggest_plane(texts, view, laterality=laterality)
    return {"view": view, "plane": plane, "label": view_labels.short_label(written or texts, frames=frames)}


def _code_meanings(dataset: Dataset) -> list[str]:
    """Of the view and of its modifiers."""
    meanings = []
    for item in islice(attributes.value(dataset, "ViewCodeSequence") or [], 4):
        modifiers = attributes.value(item, "ViewModifierCodeSequence") or []
        meanings += [attributes.text(each, "CodeMeaning") for each in (item, *islice(modifiers, 4))]
    return meanings
