"""Decoding single frames: for a screen (8-bit PNG, or the untouched JPEG), and in grey for the model."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import (
    AllTransferSyntaxes,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGTransferSyntaxes,
)

from studies.dicom import colours, fragments, greys, palette, pixel_layout
from studies.dicom.attributes import value
from studies.dicom.bounded_reader import DicomFile, Refused, open_dicom

Grey = npt.NDArray[np.uint8]  # [H, W]
Colour = npt.NDArray[np.uint8]  # [H, W] or [H, W, 3]

PNG, JPEG = "image/png", "image/jpeg"
_FAST_PNG = 1
_THUMBNAIL_QUALITY = 80
_SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BASELINE = 0xC0
_SCALED_FRAMES, _SCALED_PIXELS = 16, 64 * 1024**2
_STREAMS_WITH_COLOURS = {JPEGBaseline8Bit, JPEGExtended12Bit, *JPEG2000TransferSyntaxes}
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass
class Source:
    """An opened clip whose frames can be taken out one by one, counted from 1."""

    opened: DicomFile
    shape: pixel_layout.Layout
    options: dict[str, Any]

    def encoded(self, number: int) -> bytes:
        """The bytes of one compressed frame; raises Refused."""
        if self._stands_alone:
            return self._own_bytes(number)
        self.opened.stream.seek(self.opened.pixel_start)
        offsets = self.options.get("extended_offsets")
        with _as_refusal(self.opened):
            return get_frame(
                self.opened.stream,
                number - 1,
                number_of_frames=self.shape.frames,
                extended_offsets=offsets,
            )

    def decoded(self, number: int, *, raw: bool = False) -> tuple[npt.NDArray[Any], dict[str, Any]]:
        """One frame as stored, or (``raw`` false) in RGB, and what the decoder says of it; raises Refused."""
        self._check_whole(number)
        if self.shape.sampling:
            return self._written_out(number, raw=raw)
        stream, options, index = self.opened.stream, self._options_of(number), number - 1
        if self._stands_alone:
            # A file of its own: the tables of this one tell of frames that are gone, or know nothing of others.
            stream, index = io.BytesIO(encapsulate([self._own_bytes(number)])), 0
            options = {**options, "number_of_frames": 1}
            options.pop("extended_offsets", None)
        else:
            stream.seek(self.opened.pixel_start)
        with _as_refusal(self.opened):
            array, described = get_decoder(self.opened.syntax).as_array(stream, index=index, raw=raw, **options)
        return array, dict(described)

    def _options_of(self, number: int) -> dict[str, Any]:
        """With the colours that the frame's own stream has, where it contradicts the header."""
        if self.shape.samples != 3 or self.opened.syntax not in _STREAMS_WITH_COLOURS:
            return self.options
        said = colours.of_stream(self.encoded(number))
        return {**self.options, "photometric_interpretation": said} if said else self.options

    def _written_out(self, number: int, *, raw: bool) -> tuple[npt.NDArray[Any], dict[str, Any]]:
        """An uncompressed frame in which pixels share their colours, with one for each."""
        shape = self.shape
        length = pixel_layout.frame_bytes(shape)
        data = fragments.read(self.opened, [(self.opened.pixel_start + (number - 1) * length, length)])
        if not self.opened.little_endian and self.opened.pixel_vr == "OW":
            data = np.frombuffer(data, np.uint16).byteswap().tobytes()
        array = colours.whole(data, shape.rows, shape.columns, sampling=shape.sampling, planar=shape.planar)
        if raw:
            return array, {"photometric_interpretation": shape.photometric}
        return colours.to_rgb(array, shape.photometric), {"photometric_interpretation": "RGB"}

    @cached_property
    def grey_scale(self) -> tuple[float, float]:
        """The least and the largest grey of the clip: of all frames, or of as many as there is time for."""
        if self.shape.bits_stored == 1:
            return 0.0, 1.0
        pixels = self.shape.rows * self.shape.columns
        most = _SCALED_FRAMES if self.opened.syntax.is_encapsulated else max(_SCALED_FRAMES, _SCALED_PIXELS // pixels)
        extremes: list[float] = []
        for number in greys.sampled(self.shape.whole, most):
            with suppress(Refused):  # a damaged frame says nothing of the others
                values = greys.meant(self.decoded(number)[0], self.opened.dataset)
                extremes += [float(values.min()), float(values.max())]
        return (min(extremes), max(extremes)) if extremes else (0.0, 1.0)

    @property
    def _stands_alone(self) -> bool:
        """A frame is put together from its fragments, without the file's tables."""
        return self.opened.syntax.is_encapsulated and (bool(self.shape.flaw) or self.shape.regrouped)

    @cached_property
    def _parts(self) -> list[list[fragments.Fragment]]:
        if self.shape.regrouped:
            return fragments.by_frame(self.opened)
        return [[fragment] for fragment in fragments.single_frames(self.opened)]

    def _check_whole(self, number: int) -> None:
        if number > self.shape.whole:
            raise Refused(self.shape.flaw, f"The file ends before this frame does. {self.shape.flaw_reason}")

    def _own_bytes(self, number: int) -> bytes:
        self._check_whole(number)
        return fragments.read(self.opened, self._parts[number - 1])


@contextmanager
def _as_refusal(opened: DicomFile) -> Iterator[None]:
    """Whatever a decoder raises becomes one sentence; running out of memory stays what it is."""
    try:
        yield
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        reason = f"Its pixels ({opened.syntax.name}) are damaged, or of a kind that cannot be decoded here."
        raise Refused("undecodable", reason) from error


def preload() -> None:
    """Load the codecs, which otherwise load themselves at their first use."""
    Image.preinit()
    Image.new("L", (2, 2)).save(io.BytesIO(), "PNG")
    for syntax in AllTransferSyntaxes:
        with suppress(NotImplementedError):
            _ = get_decoder(syntax).is_available


def open_source(path: Path) -> Source:
    opened = open_dicom(path)
    shape = pixel_layout.check(opened)
    if not shape.whole:
        raise Refused(shape.flaw, shape.flaw_reason)
    options = as_pixel_options(opened.dataset)
    options["number_of_frames"] = shape.whole
    options["photometric_interpretation"] = _colours_of(opened, shape)
    options["bits_stored"] = shape.bits_stored
    options["pixel_representation"] = int(value(opened.dataset, "PixelRepresentation") == 1)
    options["planar_configuration"] = int(shape.planar)
    options["pixel_keyword"] = "PixelData"
    options["transfer_syntax_uid"] = opened.syntax
    if opened.pixel_vr:
        options["pixel_vr"] = opened.pixel_vr
    return Source(opened, shape, options)


def _colours_of(opened: DicomFile, shape: pixel_layout.Layout) -> str:
    """What the decoder is told: pixels that share no colours, and JPEG, whose range is always the full one."""
    if opened.syntax in JPEGTransferSyntaxes and shape.photometric.startswith("YBR_PARTIAL"):
        return "YBR_FULL"
    native = not opened.syntax.is_encapsulated and not shape.sampling
    return "YBR_FULL" if native and shape.photometric == "YBR_FULL_422" else shape.photometric


def display(path: Path, frames: Sequence[int], seconds: float) -> Iterator[tuple[int, str, bytes]]:
    """(frame, content type, 8-bit PNG or JPEG): the first of ``frames`` always, others until ``seconds`` have passed.

    Raises Refused.
    """
    source = open_source(path)
    deadline = time.monotonic() + seconds
    for index, number in enumerate(checked(frames, source)):
        if index and time.monotonic() > deadline:
            return
        yield number, *_display_frame(source, number)


def grey(path: Path, frames: Sequence[int]) -> Iterator[tuple[int, Grey]]:
    """(frame, luma as uint8 [H, W]) for each of ``frames``; raises Refused."""
    source = open_source(path)
    for number in checked(frames, source):
        yield number, grey_frame(source, number)


def thumbnail(path: Path, side: int) -> bytes:
    """A JPEG that fits into a square of ``side`` pixels, of the middle frame; where that one is damaged of the first,
    or of the last. Raises Refused."""
    source = open_source(path)
    image = Image.fromarray(_first_decodable(source, ((source.shape.frames + 1) // 2, 1, source.shape.frames)))
    image.thumbnail((side, side), Image.Resampling.BOX)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_THUMBNAIL_QUALITY)
    return out.getvalue()


def _first_decodable(source: Source, numbers: tuple[int, ...]) -> Colour:
    for number in numbers[:-1]:
        with suppress(Exception):  # whatever a decoder raises
            return colour_frame(source, number)
    return colour_frame(source, numbers[-1])


def checked(numbers: Sequence[int], source: Source) -> Sequence[int]:
    if not numbers or not 1 <= min(numbers) <= max(numbers) <= source.shape.frames:
        raise Refused("no_such_frame", f"The clip has {source.shape.frames} frames.")
    return numbers


def _display_frame(source: Source, number: int) -> tuple[str, bytes]:
    if source.opened.syntax == JPEGBaseline8Bit:
        data = source.encoded(number)
        if _browser_shows_as_meant(data, source.shape):
            return JPEG, data
    out = io.BytesIO()
    Image.fromarray(colour_frame(source, number)).save(out, "PNG", compress_level=_FAST_PNG)
    return PNG, out.getvalue()


def colour_frame(source: Source, number: int) -> Colour:
    """One frame as a person should see it: uint8 [H, W] or RGB [H, W, 3]."""
    array, described = source.decoded(number)
    photometric = str(described["photometric_interpretation"])
    if photometric == "PALETTE COLOR":
        return palette.apply(array, source.opened)
    if array.ndim == 3:
        array = colours.to_rgb(array[..., :3], photometric if photometric.startswith("YBR_PARTIAL") else "RGB")
        return _eight_bits(array[..., :3], source.shape.bits_stored)
    return _grey_for_display(array, source, inverted=photometric == "MONOCHROME1")


def _eight_bits(array: npt.NDArray[Any], bits: int) -> Colour:
    return np.ascontiguousarray(array if array.dtype == np.uint8 else array >> max(bits - 8, 0)).astype(np.uint8)


def _grey_for_display(array: npt.NDArray[Any], source: Source, *, inverted: bool) -> Grey:
    """Eight bits are shown as stored. Deeper pixels go through rescale and window, or lie on one scale for the clip."""
    array = _as_stored(array, source) if _is_shown_as_stored(source) else _deep_for_display(array, source)
    return np.ascontiguousarray(255 - array if inverted else array)


def _is_shown_as_stored(source: Source) -> bool:
    return 1 < source.shape.bits_stored <= 8 and not source.options.get("pixel_representation")


def _as_stored(array: npt.NDArray[Any], source: Source) -> Grey:
    full = (1 << source.shape.bits_stored) - 1
    if full == 255:
        return cast(Grey, np.minimum(array, 255).astype(np.uint8))
    return cast(Grey, np.rint(np.minimum(array, full) * (255 / full)).astype(np.uint8))


def _deep_for_display(array: npt.NDArray[Any], source: Source) -> Grey:
    dataset = source.opened.dataset
    values = greys.meant(array, dataset)
    if (by_table := greys.table_applied(values, array, dataset)) is not None:
        return by_table
    window = greys.window_of(dataset)
    return window.apply(values) if window and window.usable else greys.spread(values, source.grey_scale)


def grey_frame(source: Source, number: int) -> Grey:
    """One frame's luma, uint8 [H, W]: the Y channel where the file has one."""
    if source.opened.syntax == JPEGBaseline8Bit and source.shape.photometric.startswith(("YBR", "MONOCHROME2")):
        return _jpeg_luma(source, number)
    if source.shape.photometric.startswith("YBR_FULL"):
        array, described = source.decoded(number, raw=True)
        if str(described["photometric_interpretation"]).startswith("YBR_FULL"):
            return _eight_bits(array[..., 0], source.shape.bits_stored)
    colour = colour_frame(source, number)
    if colour.ndim == 2:
        return colour
    luma: Grey = np.rint(colour.astype(np.float32) @ _LUMA).astype(np.uint8)
    return luma


def _jpeg_luma(source: Source, number: int) -> Grey:
    data = source.encoded(number)
    with _as_refusal(source.opened), Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        if image.size != (source.shape.columns, source.shape.rows):
            raise ValueError("the picture inside has another size than the header says")
        image.draft("L", image.size)
        return np.asarray(image.convert("L"), dtype=np.uint8)


def _browser_shows_as_meant(data: bytes, shape: pixel_layout.Layout) -> bool:
    """A baseline JPEG of the declared size whose colours a browser reads as the header means them."""
    header = _jpeg_header(data)
    if header is None or header.size != (shape.rows, shape.columns):
        return False
    if header.components == 1:
        return shape.samples == 1 and shape.photometric == "MONOCHROME2"
    declares_ycc = shape.photometric in ("YBR_FULL", "YBR_FULL_422")
    return (
        header.components == 3
        and shape.samples == 3
        and header.ycc == declares_ycc
        and (declares_ycc or shape.photometric == "RGB")
    )


@dataclass(frozen=True)
class _JpegHeader:
    size: tuple[int, int]
    components: int
    ycc: bool


def _jpeg_header(data: bytes) -> _JpegHeader | None:
    """What libjpeg, and so every browser, will make of the stream; None unless it is whole and baseline.

    Colours are YCbCr with a JFIF marker, as an Adobe marker says, else unless the components are named R, G and B.
    """
    if data[:2] != b"\xff\xd8" or b"\xff\xd9" not in data[-4:]:
        return None
    at, jfif, adobe = 2, False, None
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, (length,) = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])
        body = data[at + 4 : at + 2 + length]
        jfif = jfif or (marker == 0xE0 and body[:5] == b"JFIF\0")
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        if marker in _SOF:
            return _frame_header(body, jfif, adobe) if marker == _BASELINE and body[:1] == b"\x08" else None
        at += 2 + length
    return None


def _frame_header(body: bytes, jfif: bool, adobe: int | None) -> _JpegHeader | None:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        return None
    rows, columns, components = struct.unpack(">HHB", body[1:6])
    names = bytes(body[6 + 3 * index] for index in range(components))
    ycc = jfif or (adobe == 1 if adobe is not None else names != b"RGB")
    return _JpegHeader((rows, columns), components, ycc)
