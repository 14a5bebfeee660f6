"""Which view a clip shows, guessed from the words that devices and people write beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VIEWS = [
    ("mastoid", re.compile(r"\b(mast\w*|posterior fossa|cerebell\w*|pf)\b", re.IGNORECASE)),
    ("coronal", re.compile(r"\b(cor|coro\w*|cor ?\d+)\b", re.IGNORECASE)),
    ("sagittal", re.compile(r"\b(sag|sagi\w*|sag ?\d+|para ?sag\w*|mid ?sag\w*)\b", re.IGNORECASE)),
]
_PLACES = [
    ("right", re.compile(r"\b(right|rt|r)\b", re.IGNORECASE)),
    ("left", re.compile(r"\b(left|lt|l)\b", re.IGNORECASE)),
    ("midline", re.compile(r"\b(mid ?line|mid\w*)\b", re.IGNORECASE)),
]
PLANES: dict[str, tuple[str, ...]] = {
    "coronal": ("frontal", "third_ventricle", "body", "trigone", "occipital"),
    "sagittal": ("midline", "right", "left"),
    "mastoid": ("right", "left"),
    "other": (),
}
"""The planes of each view, from front to back and from the middle outwards (clinical protocol: eurUS.brain, AIUM)."""
_PLANE_WORDS = [
    ("third_ventricle", re.compile(r"\b(third ventricle|3rd ventricle|monro\w*|foramen of monro)\b", re.IGNORECASE)),
    ("trigone", re.compile(r"\b(trigon\w*|atri\w*)\b", re.IGNORECASE)),
    ("occipital", re.compile(r"\b(occipit\w*)\b", re.IGNORECASE)),
    ("frontal", re.compile(r"\b(frontal\w*|anterior horns?)\b", re.IGNORECASE)),
    ("body", re.compile(r"\b(body|bodies|corpus)\b", re.IGNORECASE)),
    ("right", re.compile(r"\b(right|rt|r)\b", re.IGNORECASE)),
    ("left", re.compile(r"\b(left|lt|l)\b", re.IGNORECASE)),
    ("midline", re.compile(r"\b(mid ?line|mid\w*)\b", re.IGNORECASE)),
]
_SHORT = {"coronal": "COR", "sagittal": "SAG", "mastoid": "MAST"}
_LABEL_LENGTH = 24


def suggest_view(texts: Sequence[str]) -> tuple[str, str]:
    """The first text that names a view decides: (view, that text); ("other", "") when none does."""
    for text in texts:
        words = text.replace("_", " ").replace("-", " ")
        for view, pattern in _VIEWS:
            if pattern.search(words):
                return view, text
    return "other", ""


def suggest_plane(texts: Sequence[str], view: str, *, laterality: str = "") -> str:
    """The plane of that view which the texts name, or the file's laterality ("R", "L"); "" for a sweep or none."""
    for text in texts:
        words = text.replace("_", " ").replace("-", " ")
        for plane, pattern in _PLANE_WORDS:
            if plane in PLANES[view] and pattern.search(words):
                return plane
    side = {"R": "right", "L": "left"}.get(laterality, "")
    return side if side in PLANES[view] else ""


def named(view: str, plane: str, *, frames: int) -> str:
    """The label of a view that a person has set: ``COR third ventricle``, ``SAG sweep``, ``still``."""
    kind = "still" if frames <= 1 else "clip" if view == "other" else "sweep"
    return " ".join(part for part in (_SHORT.get(view, ""), plane.replace("_", " ") or kind) if part)


def short_label(texts: Sequence[str], *, frames: int) -> str:
    """A few words for the clip, such as ``COR sweep`` or ``SAG right``."""
    view, text = suggest_view(texts)
    if view == "other":
        text = next((text for text in texts if text), "")
    if text and len(text) <= _LABEL_LENGTH:
        return text
    kind = "still" if frames <= 1 else "clip" if view == "other" else "sweep"
    place = next((name for name, pattern in _PLACES if pattern.search(text)), "")
    return " ".join(part for part in (_SHORT.get(view, ""), place, kind) if part)
