"""Stand-ins for identifiers: the same for the same thing, on this site, for ever; nobody else can compute or undo them.

They come from HMAC-SHA-256 under a key derived from SECRET_KEY, so an export can be read back in here, and only here.
"""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings

_PURPOSE = b"fontanelle label exports"
_BITS = 120


def _number(kind: str, value: str) -> int:
    key = hmac.new(settings.SECRET_KEY.encode(), _PURPOSE, hashlib.sha256).digest()
    digest = hmac.new(key, f"{kind}\0{value}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest) >> (256 - _BITS)


def uid(value: str) -> str:
    """A DICOM UID in the place of another."""
    return f"2.25.{_number('uid', value)}"


def name(kind: str, value: str) -> str:
    """``infant-1f3a…``, ``reader-07bc…``."""
    return f"{kind}-{_number(kind, value):030x}"[: len(kind) + 13]
