"""What every version of the label schema has in common, as it is sent to and fro."""

from __future__ import annotations

from typing import Annotated, TypedDict

from annotations.measurements.payloads import Drawing
from common.contract import open_ended


class Keyframe(TypedDict):
    """A frame that shows a finding best."""

    sop_uid: Annotated[str, "SOPInstanceUID of the clip"]
    frame: Annotated[int, "from 1"]


@open_ended
class ReadFindings(TypedDict):
    """An answer, by field. Beside these stand the fields of its own version of the label schema."""

    schema: Annotated[str, "name of that version"]
    keyframes: list[Keyframe]
    drawings: list[Drawing]
