"""Unique identifiers of DICOM."""

from __future__ import annotations

import re

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LENGTH = 64


def is_uid(text: str) -> bool:
    """Digits and dots (PS3.5, 9.1), though real devices write leading zeros: safe in any database and any address."""
    return len(text) <= _LENGTH and _UID.fullmatch(text) is not None
