"""Regions on frames as COCO: an image for each frame with a region or a keyframe, boxes and polygons in pixels."""

from __future__ import annotations

import json
from math import cos, pi, sin
from typing import Annotated, Literal, TypedDict

from annotations.exchange.export_records import NOTICE, Export, Record
from annotations.measurements.drawings import Drawing, Tool
from annotations.measurements.measure import MeasuredPayload, Point

REGIONS: tuple[Tool, ...] = ("box", "ellipse", "freehand")
"""The tools whose drawings have an area."""
_CORNERS = 64
"""Of the polygon that an ellipse becomes."""


class CocoImage(TypedDict):
    """A frame with a region or a keyframe."""

    id: int
    width: Annotated[int, "pixels"]
    height: Annotated[int, "pixels"]
    file_name: str
    study_uid: str
    sop_uid: str
    frame: Annotated[int, "counted from 1"]
    keyframe_of: Annotated[list[str], "the readers who marked it"]


class CocoAttributes(TypedDict):
    """Whose region it is, and what it measures."""

    reader: str
    tool: Tool
    uid: str
    measured: MeasuredPayload | None


class CocoAnnotation(TypedDict):
    """A region on a frame, in image pixels with (0, 0) at the outer corner of the first."""

    id: int
    image_id: int
    category_id: int
    segmentation: Annotated[list[list[float]], "one polygon: x, y, x, y …"]
    area: Annotated[float, "square pixels"]
    bbox: Annotated[list[float], "x, y, width, height"]
    iscrowd: Literal[0]
    attributes: CocoAttributes


class CocoCategory(TypedDict):
    """What regions are called."""

    id: int
    name: str
    supercategory: Literal["finding"]


class CocoInfo(TypedDict):
    """What the file is."""

    description: str
    version: str
    identified: Annotated[bool, "with the infants' own identifiers"]


class CocoDocument(TypedDict):
    """Regions in the COCO format."""

    info: CocoInfo
    licenses: list[str]
    images: list[CocoImage]
    annotations: list[CocoAnnotation]
    categories: list[CocoCategory]


def outline(drawing: Drawing) -> list[Point]:
    """A region as a polygon in image pixels."""
    points: list[Point] = [(float(x), float(y)) for x, y in drawing["points"]]
    if drawing["tool"] == "box":
        (ax, ay), (bx, by) = points
        return [(ax, ay), (bx, ay), (bx, by), (ax, by)]
    return points if drawing["tool"] == "freehand" else _ellipse(points)


def _ellipse(points: list[Point]) -> list[Point]:
    """As a polygon, from the ends of one axis, then of the other."""
    a, b, c, d = points
    centre = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    u, v = ((b[0] - a[0]) / 2, (b[1] - a[1]) / 2), ((d[0] - c[0]) / 2, (d[1] - c[1]) / 2)
    angles = [2 * pi * step / _CORNERS for step in range(_CORNERS)]
    return [(centre[0] + cos(t) * u[0] + sin(t) * v[0], centre[1] + cos(t) * u[1] + sin(t) * v[1]) for t in angles]


def area(polygon: list[Point]) -> float:
    """Of a closed polygon, in square pixels."""
    pairs = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def category(drawing: Drawing) -> str:
    """What a region is called: as its reader named it, with the side that they gave."""
    return " ".join(filter(None, [drawing.get("side", ""), drawing.get("label", "") or "region"]))


class _Coco:
    """Images, annotations and categories, numbered from 1 as they come."""

    def __init__(self, export: Export) -> None:
        self.clips = export.clips()
        self.images: dict[tuple[str, int], CocoImage] = {}
        """By clip and frame."""
        self.categories: dict[str, int] = {}
        """The number of each by its name."""
        self.annotations: list[CocoAnnotation] = []

    def image(self, sop_uid: str, frame: int, study_uid: str) -> CocoImage:
        clip = self.clips[sop_uid]
        return self.images.setdefault(
            (sop_uid, frame),
            {
                "id": len(self.images) + 1,
                "width": clip.columns,
                "height": clip.rows,
                "file_name": f"{sop_uid}/{frame}.png",
                "study_uid": study_uid,
                "sop_uid": sop_uid,
                "frame": frame,
                "keyframe_of": [],
            },
        )

    def add(self, record: Record) -> None:
        for keyframe in record.findings.get("keyframes", []):
            image = self.image(keyframe["sop_uid"], keyframe["frame"], record.study_uid)
            image["keyframe_of"].append(record.reader)
        for drawing in record.findings.get("drawings", []):
            if drawing["tool"] in REGIONS:
                self.annotations.append(self.annotation(drawing, record))

    def annotation(self, drawing: Drawing, record: Record) -> CocoAnnotation:
        polygon = outline(drawing)
        xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
        return {
            "id": len(self.annotations) + 1,
            "image_id": self.image(drawing["sop_uid"], drawing["frame"], record.study_uid)["id"],
            "category_id": self.categories.setdefault(category(drawing), len(self.categories) + 1),
            "segmentation": [[round(number, 3) for point in polygon for number in point]],
            "area": round(area(polygon), 3),
            "bbox": [round(n, 3) for n in (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))],
            "iscrowd": 0,
            "attributes": {
                "reader": record.reader,
                "tool": drawing["tool"],
                "uid": drawing["uid"],
                "measured": drawing.get("measured"),
            },
        }


def to_coco(export: Export) -> str:
    """The export as a COCO file."""
    coco = _Coco(export)
    for record in export.records():
        coco.add(record)
    document: CocoDocument = {
        "info": {"description": f"Fontanelle regions. {NOTICE}.", "version": "1", "identified": export.identified},
        "licenses": [],
        "images": list(coco.images.values()),
        "annotations": coco.annotations,
        "categories": [
            {"id": number, "name": name, "supercategory": "finding"} for name, number in coco.categories.items()
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)
