"""Transfer syntaxes by name: what the pixels are encoded as, and why they cannot be shown where they cannot."""

from __future__ import annotations

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

_STANDARD = "1.2.840.10008."
_LATER = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
}
"""Those that pydicom does not know yet."""


def is_known(syntax: UID) -> bool:
    """Its data set is laid out as pydicom says; that of any other is guessed."""
    return not syntax.is_private and syntax.is_transfer_syntax


def name(syntax: UID) -> str:
    """For a person."""
    if is_known(syntax):
        return syntax.name
    if syntax in _LATER:
        return _LATER[syntax]
    kind = "an unknown" if syntax.startswith(_STANDARD) else "a private"
    return f"{kind} transfer syntax ({syntax})"


def why_not_shown(syntax: UID) -> str:
    """A sentence where pixels of this syntax cannot be decoded here; empty where they can."""
    if is_known(syntax) and _is_decodable(syntax):
        return ""
    return f"Its pixels are encoded as {name(syntax)}, which cannot be decoded here."


def _is_decodable(syntax: UID) -> bool:
    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False
