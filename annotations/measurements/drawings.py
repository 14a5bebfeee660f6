"""What a reader draws on the pictures: kept as points in image pixels, measured by us from the regions of the clip.

Points are ``[x, y]`` in image pixels with (0, 0) at the outer corner of the first pixel; an ellipse has the ends of one
axis, then of the other; a box two opposite corners; an angle its vertex second; an arrow its tip first; a resistive
index the systolic peak, then the end of diastole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from annotations.measurements.measure import MeasuredPayload, measure
from studies.dicom.facts import Region

POINTS = {"length": (2, 2), "angle": (3, 3), "ellipse": (4, 4), "freehand": (3, 256), "box": (2, 2)}
POINTS |= {"point": (1, 1), "arrow": (2, 2)}
PER_SIDE = ("vi", "ahw", "tod")
PRESETS = {"": "", "vi": "length", "ahw": "length", "tod": "length", "third_ventricle": "length", "ri": "length"}
SIDES = ("", "right", "left")
MAX_DRAWINGS = 200
MAX_POINTS = 5000
MAX_LABEL = 200
_REACH = 100_000
"""Pixels from the corner of the image beyond which no point lies."""
_SAME_MIDDLE = 0.05
"""Pixels by which the middles of an ellipse's axes may differ."""
_UID = re.compile(r"[A-Za-z0-9.-]{1,64}")

Tool = Literal["length", "angle", "ellipse", "freehand", "box", "point", "arrow"]
Preset = Literal["", "vi", "ahw", "tod", "third_ventricle", "ri"]
Side = Literal["", "right", "left"]
Messages = dict[str, list[str]]
"""What is wrong, by drawing and field, in sentences."""


class Drawing(TypedDict):
    """A drawing that was checked."""

    uid: Annotated[str, "its own identifier within the read"]
    tool: Tool
    sop_uid: Annotated[str, "of the clip"]
    frame: Annotated[int, "counted from 1"]
    points: Annotated[list[list[float]], "[x, y] in image pixels"]
    label: str
    preset: Annotated[Preset, "what the reader measures, such as the ventricular index (vi)"]
    side: Side
    measured: NotRequired[MeasuredPayload | None]
    """The server's own numbers, from the commit on; what a client sends here is dropped."""


def _text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest


def _word(value: Any, words: Collection[str]) -> bool:
    return isinstance(value, str) and value in words


def _is_point(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 2):
        return False
    return all(type(number) in (int, float) and abs(number) <= _REACH and math.isfinite(number) for number in value)


def _uid(value: Any) -> str:
    right = isinstance(value, str) and _UID.fullmatch(value)
    return "" if right else "A drawing has an identifier of at most 64 letters, digits, dots and dashes."


def _frame(value: Any) -> str:
    return "" if type(value) is int and 1 <= value <= 10**6 else "Frames are counted from 1."


_FIELDS: dict[str, Callable[[Any], str]] = {
    "uid": _uid,
    "tool": lambda value: (
        "" if isinstance(value, str) and value in POINTS else f"A tool is one of {', '.join(POINTS)}."
    ),
    "sop_uid": lambda value: "" if _text(value, 64) and value else "A drawing names its clip.",
    "frame": _frame,
    "label": lambda value: "" if _text(value, MAX_LABEL) else f"A label is a text of at most {MAX_LABEL} characters.",
    "preset": lambda value: "" if _word(value, PRESETS) else f"A preset is one of {_presets()}.",
    "side": lambda value: "" if _word(value, SIDES) else "A side is right or left.",
}
_DEFAULTS = {"label": "", "preset": "", "side": ""}
_KNOWN = {*_FIELDS, "points", "measured"}


def _presets() -> str:
    return ", ".join(filter(None, PRESETS))


def messages(value: Any) -> Messages:
    """What is wrong with a list of drawings, by drawing and field, as ``drawings.3.points``."""
    if not isinstance(value, list):
        return {"drawings": ["Drawings are a list."]}
    if len(value) > MAX_DRAWINGS:
        return {"drawings": [f"At most {MAX_DRAWINGS} drawings are kept with a read."]}
    problems = {
        f"drawings.{number}{field}": [problem]
        for number, drawing in enumerate(value)
        for field, problem in _problems(drawing).items()
    }
    return problems or _together(value)


def _problems(drawing: Any) -> dict[str, str]:
    """What is wrong with one drawing, by ``.field``."""
    if not isinstance(drawing, dict):
        return {"": "A drawing is an object."}
    complete = {**_DEFAULTS, **drawing}
    problems = {f".{str(field)[:40]}": "A drawing has no such field." for field in drawing if field not in _KNOWN}
    problems |= {f".{field}": problem for field, check in _FIELDS.items() if (problem := check(complete.get(field)))}
    return problems or _shape(complete)


def _shape(drawing: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the points of a drawing whose other fields are right."""
    tool, preset, points = drawing["tool"], drawing["preset"], drawing.get("points")
    least, most = POINTS[tool]
    if not (isinstance(points, list) and least <= len(points) <= most and all(map(_is_point, points))):
        many = str(least) if least == most else f"{least} to {most}"
        return {".points": f"A drawing of the kind {tool} has {many} points [x, y] in image pixels."}
    if tool == "ellipse" and not _is_ellipse(points):
        return {".points": "The axes of an ellipse have the same middle."}
    if preset and PRESETS[preset] != tool:
        return {".preset": f"This preset is drawn as a {PRESETS[preset]}."}
    if preset in PER_SIDE and not drawing["side"]:
        return {".side": "This measure is taken per side: say right or left."}
    return {}


def _is_ellipse(points: Any) -> bool:
    a, b, c, d = points
    return all(abs(a[axis] + b[axis] - c[axis] - d[axis]) <= 2 * _SAME_MIDDLE for axis in (0, 1))


def _together(drawings: list[Drawing]) -> Messages:
    """What is wrong with drawings that are right one by one."""
    if len({drawing["uid"] for drawing in drawings}) < len(drawings):
        return {"drawings": ["Two drawings have the same identifier."]}
    if sum(len(drawing["points"]) for drawing in drawings) > MAX_POINTS:
        return {"drawings": [f"The drawings of a read have at most {MAX_POINTS} points."]}
    return {}


def plain(drawings: list[Drawing]) -> list[Drawing]:
    """As a draft holds them: every field there, no numbers but the points."""
    return [_plain(drawing) for drawing in drawings]


def _plain(drawing: Drawing) -> Drawing:
    return {
        "uid": drawing["uid"],
        "tool": drawing["tool"],
        "sop_uid": drawing["sop_uid"],
        "frame": drawing["frame"],
        "points": drawing["points"],
        "label": drawing.get("label", ""),
        "preset": drawing.get("preset", ""),
        "side": drawing.get("side", ""),
    }


def misplaced(drawings: list[Drawing], frames: Mapping[str, int]) -> Messages:
    """Drawings on what is no frame of this study. ``frames``: how many each of its clips has, by SOP instance UID."""
    return {
        f"drawings.{number}.frame": ["A drawing lies on a frame of a clip of this study."]
        for number, drawing in enumerate(drawings)
        if not drawing["frame"] <= frames.get(drawing["sop_uid"], 0)
    }


def measured(drawings: list[Drawing], regions: Mapping[str, list[Region]]) -> list[Drawing]:
    """The drawings with our own numbers beside them. ``regions``: those of each clip, by SOP instance UID."""
    return [{**drawing, "measured": numbers(drawing, regions.get(drawing["sop_uid"], []))} for drawing in drawings]


def numbers(drawing: Drawing, regions: list[Region]) -> MeasuredPayload | None:
    """What a drawing measures; None for what measures nothing. ``regions``: those of its clip."""
    points = [(float(x), float(y)) for x, y in drawing["points"]]
    result = measure(drawing["tool"], points, regions, preset=drawing["preset"], frame=drawing["frame"])
    return None if result is None else result.as_json()
