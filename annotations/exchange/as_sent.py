"""What an identified export calls infant and study: the very texts of the study's own files.

An archive knows the infant by them: a comma in a name makes another infant, a time in another zone another study.
"""

from __future__ import annotations

from django.utils import timezone

from studies.dicom import clocks
from studies.dicom.facts import AsSent
from studies.models import Study


def as_sent(study: Study) -> AsSent:
    """From its files; for a study that came in before this was kept, what is known of it (`manage.py reread`)."""
    return study.as_sent or _from_columns(study)


def _from_columns(study: Study) -> AsSent:
    patient = study.patient
    acquired = timezone.localtime(study.acquired_at) if study.acquired_at else None
    born = patient.birth_date if not patient.birth_date_from_age else None
    return {
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "name": patient.name,
        "birth_date": born.strftime("%Y%m%d") if born else "",
        "sex": patient.sex,
        "institution": patient.institution,
        "study_date": acquired.strftime("%Y%m%d") if acquired else "",
        "study_time": acquired.strftime("%H%M%S") if acquired else "",
        "utc_offset": "",
        "study_id": "",
    }


def date_out(written: str) -> str:
    """A DA value that readers take: as it came, else the same day in today's form; empty for nonsense."""
    day = clocks.day(written)
    if day is None or (len(written) == 8 and written.isdigit()):
        return written if day else ""
    return day.strftime("%Y%m%d")


def time_out(written: str) -> str:
    """A TM value that readers take: as it came, without the colons of the old form; empty for nonsense."""
    plain = written.replace(":", "")
    return plain if clocks.clock(written) else ""
