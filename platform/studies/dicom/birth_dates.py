"""Birth dates that can be true. No pydicom here: every process may ask."""

from __future__ import annotations

from datetime import date

OLDEST_DAYS = 6 * 366
"""A child older than this has no open fontanelle: its birth date is a device's word for unknown, or wrong."""


def birth_doubt(born: date, examined: date) -> str:
    """Why nobody examined on this day was born on that one, as a sentence; empty where it can be true."""
    days = (examined - born).days
    if days < 0:
        return f"The birth date {born} lies after the study of {examined}: not believed."
    if days > OLDEST_DAYS:
        return f"The birth date {born} would make the infant {days // 365} years old: not believed."
    return ""
