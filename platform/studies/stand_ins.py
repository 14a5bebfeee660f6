"""Stand-ins for identifiers: the same for the same thing under one key; nobody else can compute or undo them.

They come from HMAC-SHA-256 under a key derived from SECRET_KEY. Whatever leaves this site without identifiers, labels
as images, takes them from here, so that what leaves under one key belongs together, and under another does not.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

_PURPOSE = b"fontanelle label exports"
_BITS = 120
_EXACT_IN_JSON = 52
"""Bits of a whole number that every reader of JSON keeps."""


@dataclass(frozen=True)
class StandIns:
    """``key``: words that an admin chooses; empty is the site's own key, under which labels are read back."""

    key: str = ""

    @cached_property
    def _secret(self) -> bytes:
        purpose = _PURPOSE + (b"\0" + self.key.encode() if self.key else b"")
        return hmac.new(settings.SECRET_KEY.encode(), purpose, hashlib.sha256).digest()

    def _number(self, kind: str, value: str) -> int:
        digest = hmac.new(self._secret, f"{kind}\0{value}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest) >> (256 - _BITS)

    def uid(self, value: str) -> str:
        """A DICOM UID in the place of another: of a study, a series, an instance, a frame of reference, a tracking."""
        return f"2.25.{self._number('uid', value)}"

    def name(self, kind: str, value: str) -> str:
        """``infant-1f3a…``, ``reader-07bc…``."""
        return f"{kind}-{self._number(kind, value):030x}"[: len(kind) + 13]

    def number(self, kind: str, value: int) -> int:
        """In the place of a key of the database."""
        return self._number(kind, str(value)) >> (_BITS - _EXACT_IN_JSON)
