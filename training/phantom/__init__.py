"""Phantom neonatal cranial ultrasound examinations with known truth, as real DICOM.

`exam(seed, index)` renders one examination, `write_exam(exam, out)` writes it. Synthetic results show that the
pipeline works, not clinical accuracy. Names load lazily, so reading a constant imports neither numpy nor pydicom.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from training.phantom.constants import PHANTOM_MANUFACTURER, SIZES, Knobs

if TYPE_CHECKING:
    from training.phantom.dicom import write_exam
    from training.phantom.examination import PhantomClip, PhantomExam, exam

__all__ = ["PHANTOM_MANUFACTURER", "SIZES", "Knobs", "PhantomClip", "PhantomExam", "exam", "write_exam"]

_HOMES = {"exam": "examination", "PhantomExam": "examination", "PhantomClip": "examination", "write_exam": "dicom"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
