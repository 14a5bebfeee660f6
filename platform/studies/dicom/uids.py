"""Unique identifiers of DICOM."""

from __future__ import annotations

import re

_LEADING_ZERO = re.compile(r"(^|\.)0[0-9]")
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
LENGTH = 64


def is_uid(text: str) -> bool:
    """Digits and dots (PS3.5, 9.1), though real devices write leading zeros: safe in any database and any address."""
    return len(text) <= LENGTH and _UID.fullmatch(text) is not None


def has_leading_zero(uid: str) -> bool:
    """Whether one of its numbers is written with zeros in front."""
    return _LEADING_ZERO.search(uid) is not None
