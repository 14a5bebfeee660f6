"""What every version of the label schema has in common, as it is sent to and fro."""

from __future__ import annotations

from typing import Annotated, TypedDict

from annotations.label_schema.schema import Keyframe
from annotations.measurements.drawings import Drawing
from common.contract import open_ended, published


@published
@open_ended
class ReadFindings(TypedDict):
    """An answer, by field. Beside these stand the fields of its own version of the label schema."""

    schema: Annotated[str, "name of that version"]
    keyframes: list[Keyframe]
    drawings: list[Drawing]
