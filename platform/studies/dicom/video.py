"""Videos in DICOM (PS3.5, 8.2.5 to 8.2.15): decoded by ffmpeg, a program of its own, where it is installed.

The stream is named to it by its place in the stored file, the container by what the bytes are: nothing in a video can
make it open another file, an address or another kind of container. It inherits the limits of the sandbox worker, writes
no file, has one thread, and ends with the worker.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO

import numpy as np
import numpy.typing as npt

from studies.dicom import fragments, syntaxes
from studies.dicom.bounded_reader import DicomFile, Refused
from studies.dicom.facts import PixelFacts

Picture = npt.NDArray[np.uint8]  # RGB [H, W, 3]

INSTALL = "Install ffmpeg, then run manage.py reread, to have it played."
_COUNT_SECONDS = 45
_MAX_PIECES = 500
_MAX_PIXELS = 64 * 1024**2
_MAX_FRAMES = 20_000
_PR_SET_PDEATHSIG = 1
_CODECS = "mpeg1video,mpeg2video,h264,hevc,aac,mp2,mp2float,mp3,mp3float,ac3"
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
_TS = 0x47
_PPM = re.compile(rb"P6\n(\d{1,5}) (\d{1,5})\n255\n")


@dataclass(frozen=True)
class Count:
    """What ffmpeg decodes of a whole video: ``frames`` of ``rows`` x ``columns``.

    ``whole``: to its end, without an error; ``late``: it was stopped before the end.
    """

    frames: int = 0
    rows: int = 0
    columns: int = 0
    whole: bool = False
    late: bool = False


@cache
def program() -> str:
    """Where ffmpeg is; empty where it is not installed."""
    return shutil.which("ffmpeg") or ""


def why_not_played(opened: DicomFile) -> str:
    """A sentence where a video cannot be decoded at all; empty where ffmpeg may."""
    if program():
        return ""
    return f"It is a video ({syntaxes.name(opened.syntax)}): kept, but neither played nor scored here. {INSTALL}"


def counted(opened: DicomFile, facts: PixelFacts) -> PixelFacts:
    """The facts of a video as what is decoded says, where the header says otherwise; with a warning, or as a flaw."""
    if facts["flaw"]:
        return facts
    count = _count(opened)
    name = f"a video ({syntaxes.name(opened.syntax)})"
    if not (count.frames or count.late):
        reason = f"It is {name} that ffmpeg cannot decode: kept, but neither played nor scored."
        return {**facts, "flaw": "undecodable", "flaw_reason": reason, "whole": 0}
    declared = facts["frames"]
    if count.late:
        most = max(declared, count.frames)
        reason = f"It is {name}, too long to be checked in {_COUNT_SECONDS} s: shown, not scored."
        return {**facts, "frames": most, "whole": most, "flaw": "truncated", "flaw_reason": reason}
    sized: PixelFacts = {**facts, "rows": count.rows, "columns": count.columns, "whole": count.frames}
    _say_what_differs(opened, facts, count)
    if count.frames < declared:
        reason = f"Incomplete: {count.frames} of {declared} frames of {name} can be decoded. Not scored."
        return {**sized, "flaw": "truncated", "flaw_reason": reason}
    if not count.whole:
        reason = f"It is {name} with damage: shown as far as it can be, not scored."
        return {**sized, "frames": count.frames, "flaw": "truncated", "flaw_reason": reason}
    return {**sized, "frames": count.frames}


def _say_what_differs(opened: DicomFile, facts: PixelFacts, count: Count) -> None:
    if count.frames > facts["frames"]:
        opened.warnings.append(
            f"Its header counts {facts['frames']} frame{'s' * (facts['frames'] > 1)}, "
            f"its video holds {count.frames}: all of them are shown."
        )
    if (count.rows, count.columns) != (facts["rows"], facts["columns"]):
        opened.warnings.append(
            f"Its header says {facts['columns']} x {facts['rows']} pixels, its video {count.columns} x {count.rows}: "
            "shown as the video is."
        )


def _count(opened: DicomFile) -> Count:
    """Decode everything, and look at what comes out alone."""
    process = _start(opened, "setpts=N", ["-frames:v", str(_MAX_FRAMES + 1), "-f", "framecrc", "-"])
    late = False
    try:
        lines, errors = process.communicate(timeout=_COUNT_SECONDS)
    except subprocess.TimeoutExpired:
        late = True
        process.kill()
        lines, errors = process.communicate()
    size = re.search(rb"#dimensions 0: (\d{1,5})x(\d{1,5})", lines)
    frames = len(re.findall(rb"^0,", lines, re.MULTILINE))
    if late:
        return Count(frames, late=True)
    if size is None or not 0 < frames <= _MAX_FRAMES or int(size[1]) * int(size[2]) > _MAX_PIXELS:
        return Count()
    return Count(frames, int(size[2]), int(size[1]), whole=not errors and process.returncode == 0)


class Player:
    """The frames of a video, counted from 1; cheapest one after another."""

    def __init__(self, opened: DicomFile) -> None:
        self._opened = opened
        self._next = 0
        self._frames: Iterator[Picture] = iter(())
        self._process: subprocess.Popen[bytes] | None = None

    def frame(self, number: int) -> Picture:
        """RGB of one frame; raises Refused where the video has ended before."""
        if not 0 < self._next <= number:
            self._play_from(number)
        for picture in self._frames:
            self._next += 1
            if self._next > number:
                return picture
        self._next = 0
        raise Refused("truncated", "The video ends, or cannot be decoded further, before this frame.")

    def _play_from(self, number: int) -> None:
        self.close()
        # The other frames are decoded too, but neither converted nor sent.
        wanted = f"select='gte(n,{number - 1})',setpts=N"
        self._process = _start(self._opened, wanted, ["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"])
        assert self._process.stdout is not None
        self._frames, self._next = _pictures(self._process.stdout), number

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __del__(self) -> None:
        self.close()


def _pictures(stream: IO[bytes]) -> Iterator[Picture]:
    """Of what ffmpeg writes as PPM, one after another."""
    while match := _PPM.fullmatch(b"".join(stream.readline(16) for _ in range(3))):
        columns, rows = int(match[1]), int(match[2])
        if rows * columns > _MAX_PIXELS:
            return
        data = stream.read(rows * columns * 3)
        if len(data) < rows * columns * 3:
            return
        yield np.frombuffer(data, np.uint8).reshape(rows, columns, 3)


def _start(opened: DicomFile, filters: str, output: list[str]) -> subprocess.Popen[bytes]:
    """ffmpeg on the video of a file; raises Refused where it lies in too many pieces, or nowhere."""
    asked = [program(), "-nostdin", "-hide_banner", "-v", "error", "-threads", "1"]
    checked = ["-err_detect", "crccheck+bitstream+buffer"]
    source = ["-protocol_whitelist", "concat,subfile,file", "-codec_whitelist", _CODECS, *checked, *_input(opened)]
    chosen = ["-map", "0:v:0", "-an", "-sn", "-dn", "-fps_mode", "passthrough", "-vf", filters]
    return subprocess.Popen(  # noqa: S603 - our own arguments; of the file only numbers and its path
        [*asked, *source, *chosen, *output],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if "framecrc" in output else subprocess.DEVNULL,
        env={},
        preexec_fn=_end_with_parent,  # a sandbox worker has one thread
    )


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _input(opened: DicomFile) -> list[str]:
    pieces = fragments.walk(opened)[0]
    path = str(getattr(opened.stream, "name", ""))
    if not 0 < len(pieces) <= _MAX_PIECES or not path or "|" in path:
        raise Refused("undecodable", "Its video lies in too many pieces, or is not there.")
    parts = [f"subfile,,start,{start},end,{start + length},,:{path}" for start, length in pieces]
    address = parts[0] if len(parts) == 1 else f"concat:{'|'.join(parts)}"
    return ["-f", _container(fragments.read(opened, [(pieces[0][0], 400)]), opened), "-i", address]


def _container(head: bytes, opened: DicomFile) -> str:
    """The demuxer, by the first bytes; of a bare stream by the transfer syntax."""
    if head[4:8] in _BOXES:
        return "mov"
    if (head[:1] == head[188:189] == bytes([_TS])) or (head[4:5] == head[196:197] == bytes([_TS])):
        return "mpegts"
    if head.startswith(b"\0\0\1\xba"):
        return "mpeg"
    number = int(str(opened.syntax).split(".")[7])
    return "mpegvideo" if number < 102 else "h264" if number < 107 else "hevc"
