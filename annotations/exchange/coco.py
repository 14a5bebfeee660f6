"""Regions on frames as COCO: an image for each frame with a region or a keyframe, boxes and polygons in pixels."""

from __future__ import annotations

import json
from math import cos, pi, sin
from typing import Any

from annotations.exchange.export_records import NOTICE, Export, Record

REGIONS = ("box", "ellipse", "freehand")
_CORNERS = 64
Point = tuple[float, float]


def outline(drawing: dict[str, Any]) -> list[Point]:
    """A region as a polygon in image pixels."""
    points: list[Point] = [(float(x), float(y)) for x, y in drawing["points"]]
    if drawing["tool"] == "box":
        (ax, ay), (bx, by) = points
        return [(ax, ay), (bx, ay), (bx, by), (ax, by)]
    if drawing["tool"] == "freehand":
        return points
    a, b, c, d = points
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    u, v = ((b[0] - a[0]) / 2, (b[1] - a[1]) / 2), ((d[0] - c[0]) / 2, (d[1] - c[1]) / 2)
    angles = [2 * pi * step / _CORNERS for step in range(_CORNERS)]
    return [(middle[0] + cos(t) * u[0] + sin(t) * v[0], middle[1] + cos(t) * u[1] + sin(t) * v[1]) for t in angles]


def area(polygon: list[Point]) -> float:
    """Of a closed polygon, in square pixels."""
    pairs = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def category(drawing: dict[str, Any]) -> str:
    """What a region is called: as its reader named it, with the side that they gave."""
    return " ".join(filter(None, [drawing.get("side", ""), drawing.get("label", "") or "region"]))


class _Coco:
    def __init__(self, export: Export) -> None:
        self.clips = export.clips()
        self.images: dict[tuple[str, int], dict[str, Any]] = {}
        self.categories: dict[str, int] = {}
        self.annotations: list[dict[str, Any]] = []

    def image(self, sop_uid: str, frame: int, study_uid: str) -> int:
        clip = self.clips[sop_uid]
        found = self.images.setdefault(
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
        return int(found["id"])

    def add(self, record: Record) -> None:
        for keyframe in record.findings.get("keyframes", []):
            self.image(keyframe["sop_uid"], keyframe["frame"], record.study_uid)
            self.images[keyframe["sop_uid"], keyframe["frame"]]["keyframe_of"].append(record.reader)
        for drawing in record.findings.get("drawings", []):
            if drawing["tool"] in REGIONS:
                self.annotations.append(self.annotation(drawing, record))

    def annotation(self, drawing: dict[str, Any], record: Record) -> dict[str, Any]:
        polygon = outline(drawing)
        xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
        named = category(drawing)
        return {
            "id": len(self.annotations) + 1,
            "image_id": self.image(drawing["sop_uid"], drawing["frame"], record.study_uid),
            "category_id": self.categories.setdefault(named, len(self.categories) + 1),
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
    coco = _Coco(export)
    for record in export.records():
        coco.add(record)
    whole = {
        "info": {"description": f"Fontanelle regions. {NOTICE}.", "version": "1", "identified": export.identified},
        "licenses": [],
        "images": list(coco.images.values()),
        "annotations": coco.annotations,
        "categories": [
            {"id": number, "name": named, "supercategory": "finding"} for named, number in coco.categories.items()
        ],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)
