"""Days, times and offsets as devices write them. No pydicom here: every process may use it."""

from __future__ import annotations

import re
import time as system
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

_FARTHEST_ZONE = timedelta(hours=14)
CLOCKS_DIFFER = timedelta(minutes=10)


def day(written: str) -> date | None:
    """A DA value, also in the old form with dots; None for nonsense."""
    digits = written.replace(".", "").replace("-", "")[:8]
    if len(digits) != 8 or not digits.isdigit():
        return None
    try:
        result = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return result if result.year >= 1900 else None


def clock(written: str) -> time | None:
    """A TM value as far as it can be read; None for nonsense and for nothing."""
    digits, _, fraction = written.replace(":", "").partition(".")
    if re.fullmatch(r"[0-9]{2,6}", digits) is None:
        return None
    digits = digits[:6].ljust(6, "0")
    micro = int(fraction[:6].ljust(6, "0")) if re.match(r"[0-9]", fraction) and fraction[:6].isdigit() else 0
    try:
        return time(int(digits[:2]), int(digits[2:4]), min(int(digits[4:]), 59), micro)
    except ValueError:
        return None


def zone(written: str) -> timezone | None:
    """An offset from UTC as DICOM writes it, +HHMM; None for nonsense and for nothing."""
    match = re.fullmatch(r"([+-])([01][0-9])([0-5][0-9])", written)
    if match is None or (shift := timedelta(hours=int(match[2]), minutes=int(match[3]))) > _FARTHEST_ZONE:
        return None
    return timezone(-shift if match[1] == "-" else shift)


@dataclass(frozen=True)
class Written:
    """A day, a time of that day and its offset from UTC, as far as an element, or a pair of them, says."""

    on: date
    at: time | None
    zone: timezone | None = None

    @property
    def moment(self) -> datetime:
        """Midnight where there is no time."""
        return datetime.combine(self.on, self.at or time(), self.zone)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.fromtimestamp(system.time(), UTC)


def is_future(moment: datetime) -> bool:
    """Later than now by more than clocks differ; without an offset, later than tomorrow, wherever the device stands."""
    if moment.tzinfo is not None:
        return moment > now() + CLOCKS_DIFFER
    return moment > (now() + timedelta(days=1)).replace(tzinfo=None)
