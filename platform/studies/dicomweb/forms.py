"""In which form instances and frames are given out: as stored, or as Explicit VR Little Endian (PS3.18, 8.7.3).

The default of the standard is Explicit VR Little Endian; ``transfer-syntax=*``, or the stored syntax by name, asks for
what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from studies.dicomweb.negotiation import ANY, Accepted, NotAcceptable, Range

DICOM, OCTETS = "application/dicom", "application/octet-stream"
EXPLICIT = "1.2.840.10008.1.2.1"
_NATIVE = {"1.2.840.10008.1.2", EXPLICIT, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"}
_STEM = "1.2.840.10008.1.2."
_MEDIA = {
    "4.50": "image/jpeg",
    "4.51": "image/jpeg",
    "4.57": "image/jpeg",
    "4.70": "image/jpeg",
    "4.80": "image/jls",
    "4.81": "image/jls",
    "4.90": "image/jp2",
    "4.91": "image/jp2",
    "4.92": "image/jpx",
    "4.93": "image/jpx",
    "4.100": "video/mpeg",
    "4.101": "video/mpeg",
    "4.102": "video/mp4",
    "4.103": "video/mp4",
    "4.104": "video/mp4",
    "4.105": "video/mp4",
    "4.106": "video/mp4",
    "4.201": "image/jphc",
    "4.202": "image/jphc",
    "4.203": "image/jphc",
    "5": "image/dicom-rle",
}


@dataclass(frozen=True)
class Form:
    """``stored``: the bytes of the file as they are, and not decoded. ``kind`` has no parameters."""

    kind: str
    syntax: str
    stored: bool
    multipart: bool

    @property
    def content_type(self) -> str:
        return f"{self.kind}; transfer-syntax={self.syntax}"


def is_native(syntax: str) -> bool:
    return syntax in _NATIVE


def of_instances(accepted: Accepted, syntaxes: set[str], *, count: int) -> Form:
    """``syntaxes``: those that the files are stored in. Raises NotAcceptable."""
    for each in accepted.ranges:
        if not each.takes(DICOM) or (each.multipart is False and count > 1):
            continue
        multipart = each.multipart is not False
        if each.syntax in ("", EXPLICIT):
            return Form(DICOM, EXPLICIT, stored=syntaxes == {EXPLICIT}, multipart=multipart)
        if each.syntax == ANY or syntaxes == {each.syntax}:
            return Form(DICOM, next(iter(syntaxes)), stored=True, multipart=multipart)
    stored = " or ".join(sorted(syntaxes))
    raise _refusal(accepted, [f"multipart/related of {DICOM} in {EXPLICIT} or as stored ({stored})"], DICOM, count)


def of_frames(accepted: Accepted, syntax: str, *, count: int) -> Form:
    """``syntax``: what the clip is stored in; raises NotAcceptable."""
    for each in accepted.ranges:
        form = None if each.multipart is False and count > 1 else _frame_form(each, syntax)
        if form is not None:
            return form
    kinds = [f"{OCTETS} in {EXPLICIT}"]
    if not is_native(syntax):
        kinds.append(f"{_media_of(syntax)} in {syntax}")
    raise _refusal(accepted, kinds, OCTETS, count)


def _frame_form(asked: Range, syntax: str) -> Form | None:
    multipart = asked.multipart is not False
    media = _media_of(syntax)
    if is_native(syntax):
        fits = asked.takes(OCTETS) and asked.syntax in ("", ANY, EXPLICIT, syntax)
        return Form(OCTETS, EXPLICIT, stored=False, multipart=multipart) if fits else None
    as_stored = asked.syntax in (ANY, syntax)
    if asked.takes(OCTETS) and asked.syntax in ("", EXPLICIT):
        return Form(OCTETS, EXPLICIT, stored=False, multipart=multipart)
    if asked.takes(media) and (as_stored or not asked.syntax):
        return Form(media, syntax, stored=True, multipart=multipart)
    if asked.takes(OCTETS) and as_stored:
        return Form(OCTETS, syntax, stored=True, multipart=multipart)
    return None


def _media_of(syntax: str) -> str:
    return _MEDIA.get(syntax.removeprefix(_STEM), OCTETS)


def _refusal(accepted: Accepted, kinds: list[str], single: str, count: int) -> NotAcceptable:
    if count > 1 and any(each.multipart is False and each.takes(single) for each in accepted.ranges):
        return NotAcceptable(f"{count} parts do not fit into one body: take multipart/related.")
    return accepted.refusal(kinds)
