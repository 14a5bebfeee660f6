"""What a person may know of the infant whose pictures they see. Default closed: neither who it is, nor what is written
beside the ultrasound region.

People who see everything know both. For others upper rooms register, through ``discloses``, what is open to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from studies import access
from studies.dicom.facts import Region
from studies.models import Clip, Patient, Study

ANYBODY = "Infant"
_SCANNED = ("2d", "m_mode", "spectral", "waveform")
_NO_REGION = (
    "This picture names no ultrasound region, so that what may be written on it cannot be blanked. "
    "An admin can open whole pictures for the queue."
)
_TELLING = re.compile(r"birth|patient|name|\bdated?\b|\d{4}-\d\d|\d{6}", re.IGNORECASE)
_CAPITALS = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
_COLOURS = {"", "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422",
            "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT"}  # fmt: skip
_TERMS = {
    *_COLOURS,
    "PALETTE",
    "COLOR",
    "DICOM",
    "JPEG",
    "LS",
    "XL",
    "MPEG",
    "AVC",
    "HEVC",
    "RLE",
    "US",
    "MB",
    "UID",
    "SOP",
    "LUT",
    "VOI",
}
"""Words in capitals that sentences of ours have. Any other one was quoted from a header, which can say anything."""
_MODALITIES = {"US", "IVUS", "SC", "OT", "SR", "KO", "PR", "SEG", "XC", "ES", "DOC"}


class Withheld(Exception):
    """A picture that this person may not see; the message says why."""


class Window(NamedTuple):
    """A rectangle of a picture, both ends in, in pixels counted from 0; of all frames where ``first`` is 0."""

    x0: int
    y0: int
    x1: int
    y1: int
    first: int
    last: int

    def of(self, frame: int) -> bool:
        """Whether this frame has it."""
        return self.first == 0 or self.first <= frame <= self.last


@dataclass(frozen=True)
class Disclosure:
    """``identity``: who the infant is; ``whole_pictures``: also pictures that name no region; ``stand_in``: what an
    infant is called where nobody may know who it is."""

    identity: bool = False
    whole_pictures: bool = False
    stand_in: Callable[[Patient], str] = lambda patient: ANYBODY

    def windows(self, clip: Clip, frame: int | None = None) -> Sequence[Window] | None:
        """What may be seen of a clip, or of one of its frames; None where that is the whole picture.

        Raises Withheld.
        """
        if self.identity:
            return None
        windows = scanned(clip.regions)
        if any(frame is None or window.of(frame) for window in windows):
            return windows
        if self.whole_pictures:
            return None
        raise Withheld(_NO_REGION)

    def why_withheld(self, clip: Clip) -> str:
        """Why nothing of a clip is shown; empty where something is."""
        if clip.has_frames:
            try:
                self.windows(clip)
            except Withheld as reason:
                return str(reason)
        return ""


def scanned(regions: Sequence[Region]) -> list[Window]:
    """The regions that hold ultrasound and lie inside the picture. The whole picture with a scale of another source is
    none: what is written on it lies within."""
    return [
        Window(region["x0"], region["y0"], region["x1"], region["y1"], *region.get("frames", (0, 0)))
        for region in regions
        if region["inside"] and region["type"] in _SCANNED and "source" not in region
    ]


def telling_nothing(sentences: Sequence[str]) -> list[str]:
    """Those that quote neither a date, nor anything of the patient, nor a header's own words."""
    return [sentence for sentence in sentences if not _TELLING.search(sentence) and _only_terms(sentence)]


def _only_terms(sentence: str) -> bool:
    return _TERMS.issuperset(_CAPITALS.findall(sentence))


def known_modality(said: str) -> str:
    """What a header says of the modality, where that is one; else empty."""
    return said if said in _MODALITIES else ""


def known_colours(said: str) -> str:
    """The same of the colours."""
    return said if said in _COLOURS else ""


Rule = Callable[[User, Study], Disclosure]
_rules: list[Rule] = []


def discloses(rule: Rule) -> Rule:
    """Register what a person without the list may know of a study. Usable as a decorator."""
    _rules.append(rule)
    return rule


def to(user: User | AnonymousUser, study: Study) -> Disclosure:
    """What this person may know of the study's infant."""
    if access.sees_everything(user):
        return Disclosure(identity=True, whole_pictures=True)
    return next((rule(user, study) for rule in _rules if isinstance(user, User)), Disclosure())
