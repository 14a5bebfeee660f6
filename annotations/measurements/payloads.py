"""What is drawn on a picture, as it is kept with an answer and sent to and fro."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

DrawingTool = Literal["length", "angle", "ellipse", "freehand", "box", "point", "arrow"]
DrawingPreset = Literal["", "vi", "ahw", "tod", "third_ventricle", "ri"]
DrawingSide = Literal["", "right", "left"]


class DrawingMeasure(TypedDict):
    """What a drawing measures. For a velocity or a frequency of a trace, ``unit`` is that of its axis."""

    quantity: str
    unit: Annotated[str, "of value; empty for a ratio"]
    value: Annotated[float | None, "in unit; null where nothing can be measured"]
    reason: Annotated[str, "why there is no value; empty otherwise"]
    more: Annotated[dict[str, float], "what else follows; each name ends in its unit"]


class Drawing(TypedDict):
    """A mark on one frame of a clip."""

    uid: Annotated[str, "the drawing's own identifier, unique within the answer"]
    tool: DrawingTool
    sop_uid: Annotated[str, "SOPInstanceUID of the clip"]
    frame: Annotated[int, "from 1"]
    points: Annotated[list[list[float]], "[x, y] in image pixels; (0, 0) is the outer corner of the first pixel"]
    label: str
    preset: Annotated[DrawingPreset, "the named measure that it takes; empty for none"]
    side: DrawingSide
    measured: NotRequired[Annotated[DrawingMeasure | None, "the server's own answer, written at the commit"]]
