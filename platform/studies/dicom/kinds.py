"""What a clip is, by its SOP class and transfer syntax. No pydicom here: every process may import this."""

from __future__ import annotations

from typing import Literal

Kind = Literal["still", "clip", "volume", "video", "none"]

VOLUME_CLASS = "1.2.840.10008.5.1.4.1.1.6.2"
"""Enhanced US Volume Storage."""
VOLUME = "Ultrasound volume (Enhanced US Volume): shown, never scored."
_VIDEOS = tuple(f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109))


def is_video(syntax: str) -> bool:
    """MPEG-2, MPEG-4 AVC/H.264 and HEVC/H.265, fragmentable ones included (PS3.5, 8.2.5 to 8.2.15)."""
    return syntax.startswith(_VIDEOS)


def kind_of(sop_class: str, syntax: str, frames: int) -> Kind:
    """What a list of clips calls it; ``none`` holds no image."""
    if not frames:
        return "none"
    if sop_class == VOLUME_CLASS:
        return "volume"
    if is_video(syntax):
        return "video"
    return "still" if frames == 1 else "clip"
