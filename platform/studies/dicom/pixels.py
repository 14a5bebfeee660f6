"""Decoding single frames: for a screen (8-bit PNG, or the untouched JPEG), and in grey for the model."""

from __future__ import annotations

import io
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
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import AllTransferSyntaxes, JPEGBaseline8Bit, RLELossless

from studies.dicom import colours, decompress, fragments, greys, jpeg, palette, pixel_layout, video
from studies.dicom.attributes import value
from studies.dicom.bounded_reader import DicomFile, Refused, open_dicom
from studies.dicom.kinds import is_video

Grey = npt.NDArray[np.uint8]  # [H, W]
Colour = npt.NDArray[np.uint8]  # [H, W] or [H, W, 3]

PNG, JPEG = "image/png", "image/jpeg"
_FAST_PNG = 1
_THUMBNAIL_QUALITY = 80
_SCALED_FRAMES, _SCALED_PIXELS = 16, 64 * 1024**2
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass
class Source:
    """An opened clip whose frames can be taken out one by one, counted from 1."""

    opened: DicomFile
    shape: pixel_layout.Layout
    options: dict[str, Any]

    def encoded(self, number: int) -> bytes:
        """The bytes of one compressed frame; raises Refused."""
        self._check_whole(number)
        if self._parts:
            return fragments.read(self.opened, self._parts[number - 1])
        self.opened.stream.seek(self.opened.pixel_start)
        offsets = self.options.get("extended_offsets")
        with _as_refusal(self.opened):
            return get_frame(
                self.opened.stream,
                number - 1,
                number_of_frames=self.shape.frames,
                extended_offsets=offsets,
            )

    def decoded(self, number: int) -> tuple[npt.NDArray[Any], str]:
        """One frame as stored, [H, W] or [H, W, 3], and what its samples mean; raises Refused."""
        if is_video(self.opened.syntax):
            return self._player.frame(number), "RGB"
        self._check_whole(number)
        if self.shape.sampling:
            return self._written_out(number), self.shape.photometric
        if self.opened.syntax.is_encapsulated:
            return self._decompressed(number)
        if self.shape.bits_allocated == 1:
            return self._unpacked(number), self.shape.photometric
        self.opened.stream.seek(self.opened.pixel_start)
        with _as_refusal(self.opened):
            decoder = get_decoder(self.opened.syntax)
            array, _ = decoder.as_array(self.opened.stream, index=number - 1, raw=True, **self._words)
        return self._stored(array), self.shape.photometric

    def _decompressed(self, number: int) -> tuple[npt.NDArray[Any], str]:
        syntax, shape = self.opened.syntax, self.shape
        data = self.encoded(number)
        with _as_refusal(self.opened, number):
            array = decompress.frame(data, syntax, self._words if self._in_words else self.options)
        array = self._stored(array) if self._in_words else array
        return array, colours.decided(data, shape.photometric) if shape.samples == 3 else shape.photometric

    @property
    def _in_words(self) -> bool:
        """The words are as they would be uncompressed: bits beyond those that are stored among them."""
        native = not self.opened.syntax.is_encapsulated or self.opened.syntax == RLELossless
        return native or self.shape.shift > 0

    @property
    def _words(self) -> dict[str, Any]:
        return {**self.options, "bits_stored": self.shape.bits_allocated}

    def _stored(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        signed = bool(self.options["pixel_representation"])
        return decompress.stored(array, shift=self.shape.shift, bits=self.shape.bits_stored, signed=signed)

    def native(self, number: int) -> bytes:
        """The bytes of one uncompressed frame of whole bytes, the first of two first; raises Refused."""
        self._check_whole(number)
        length = pixel_layout.frame_bytes(self.shape)
        return self._native_bytes((number - 1) * length, length)

    def _native_bytes(self, start: int, length: int) -> bytes:
        """Of uncompressed pixels, with the first of two bytes first."""
        data = fragments.read(self.opened, [(self.opened.pixel_start + start, length)])
        if self.opened.little_endian or self.opened.pixel_vr != "OW":
            return data
        return np.frombuffer(data, np.uint16).byteswap().tobytes()

    def _unpacked(self, number: int) -> npt.NDArray[Any]:
        """Of pixels of one bit each; frames follow one another inside bytes (PS3.5, 8.1.1)."""
        shape = self.shape
        pixels = shape.rows * shape.columns
        first = (number - 1) * pixels
        start, end = first // 16 * 2, -(-(first + pixels) // 16) * 2
        bits = np.unpackbits(np.frombuffer(self._native_bytes(start, end - start), np.uint8), bitorder="little")
        return bits[first - 8 * start :][:pixels].reshape(shape.rows, shape.columns)

    def _written_out(self, number: int) -> npt.NDArray[Any]:
        """An uncompressed frame in which pixels share their colours, with one for each."""
        shape = self.shape
        length = pixel_layout.frame_bytes(shape)
        data = self._native_bytes((number - 1) * length, length)
        return colours.whole(data, shape.rows, shape.columns, sampling=shape.sampling, planar=shape.planar)

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
                extremes += self._extremes(number)
        return (min(extremes), max(extremes)) if extremes else (0.0, 1.0)

    def _extremes(self, number: int) -> list[float]:
        """The least and the largest grey of a frame that are no padding; none where there is nothing else."""
        array, _ = self.decoded(number)
        values = greys.meant(array, self.opened)[~greys.is_padding(array, self.opened)]
        return [float(values.min()), float(values.max())] if values.size else []

    @cached_property
    def _player(self) -> video.Player:
        return video.Player(self.opened)

    @cached_property
    def _parts(self) -> list[list[fragments.Fragment]]:
        """The fragments of each frame where they tell themselves which these are; empty where tables must tell."""
        if self.shape.regrouped:
            return fragments.by_frame(self.opened)
        found, _ = fragments.walk(self.opened)
        if len(found) != self.shape.frames and self.shape.flaw:
            found = fragments.single_frames(self.opened)
        return [[fragment] for fragment in found] if len(found) == self.shape.frames or self.shape.flaw else []

    def _check_whole(self, number: int) -> None:
        if number > self.shape.whole:
            raise Refused(self.shape.flaw, f"The file ends before this frame does. {self.shape.flaw_reason}")


@contextmanager
def _as_refusal(opened: DicomFile, number: int = 0) -> Iterator[None]:
    """Whatever a decoder raises becomes one sentence; running out of memory stays what it is."""
    try:
        yield
    except (MemoryError, RecursionError):
        raise
    except Refused as refusal:
        reason = refusal.reason.replace("A frame", f"Frame {number}").replace("a frame", f"frame {number}")
        raise Refused(refusal.code, reason) from refusal
    except Exception as error:
        whose = f"Frame {number}: its" if number else "Its"
        reason = f"{whose} pixels ({opened.syntax.name}) are damaged, or of a kind that cannot be decoded here."
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
    # Colours are made RGB here, by what the frames themselves say: the decoder shall leave them as they are.
    options["photometric_interpretation"] = "RGB" if shape.samples == 3 else shape.photometric
    options["samples_per_pixel"] = shape.samples
    options["bits_allocated"] = shape.bits_allocated
    options["bits_stored"] = shape.bits_stored
    options["pixel_representation"] = int(value(opened.dataset, "PixelRepresentation") == 1)
    options["planar_configuration"] = int(shape.planar and not opened.syntax.is_encapsulated)
    options["pixel_keyword"] = "PixelData"
    options["transfer_syntax_uid"] = opened.syntax
    if opened.pixel_vr:
        options["pixel_vr"] = opened.pixel_vr
    return Source(opened, shape, options)


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
    # A video may hold more frames than its header counts: it says so itself where it ends.
    most = max(numbers, default=0) if is_video(source.opened.syntax) else source.shape.frames
    if not numbers or not 1 <= min(numbers) <= max(numbers) <= most:
        raise Refused("no_such_frame", f"The clip has {source.shape.frames} frames.")
    return numbers


def _display_frame(source: Source, number: int) -> tuple[str, bytes]:
    if source.opened.syntax == JPEGBaseline8Bit:
        data = source.encoded(number)
        found = jpeg.facts(data)
        if found and _browser_shows_as_meant(data, found, source.shape):
            with _as_refusal(source.opened, number):
                jpeg.check(data, found)
            return JPEG, data
    out = io.BytesIO()
    Image.fromarray(colour_frame(source, number)).save(out, "PNG", compress_level=_FAST_PNG)
    return PNG, out.getvalue()


def in_rgb(source: Source, number: int) -> tuple[npt.NDArray[Any], str]:
    """One frame as stored, colours in RGB of eight bits where they were none, and what its samples mean now."""
    array, photometric = source.decoded(number)
    if array.ndim == 3 and photometric != "RGB":
        return colours.to_rgb(_eight_bits(array, source.shape.bits_stored), photometric), "RGB"
    return array, photometric


def colour_frame(source: Source, number: int) -> Colour:
    """One frame as a person should see it: uint8 [H, W] or RGB [H, W, 3]."""
    array, photometric = source.decoded(number)
    if photometric == "PALETTE COLOR":
        return palette.apply(array, source.opened)
    if array.ndim == 3:
        return colours.to_rgb(_eight_bits(array, source.shape.bits_stored), photometric)
    return _grey_for_display(array, source, inverted=photometric == "MONOCHROME1")


def _eight_bits(array: npt.NDArray[Any], bits: int) -> Colour:
    return np.ascontiguousarray(array if array.dtype == np.uint8 else array >> max(bits - 8, 0)).astype(np.uint8)


def _grey_for_display(array: npt.NDArray[Any], source: Source, *, inverted: bool) -> Grey:
    """Eight bits are shown as stored. Deeper pixels go through rescale and window, or lie on one scale for the clip."""
    array = _as_stored(array, source) if _is_shown_as_stored(source) else _deep_for_display(array, source)
    return np.ascontiguousarray(255 - array if inverted else array)


def _is_shown_as_stored(source: Source) -> bool:
    return greys.is_as_stored(source.shape.bits_stored, source.opened)


def _as_stored(array: npt.NDArray[Any], source: Source) -> Grey:
    full = (1 << source.shape.bits_stored) - 1
    if full == 255:
        return cast(Grey, np.minimum(array, 255).astype(np.uint8))
    return cast(Grey, np.rint(np.minimum(array, full) * (255 / full)).astype(np.uint8))


def _deep_for_display(array: npt.NDArray[Any], source: Source) -> Grey:
    dataset = source.opened.dataset
    values = greys.meant(array, source.opened)
    if (by_table := greys.table_applied(values, source.opened)) is not None:
        return by_table
    window = greys.window_of(dataset)
    return window.apply(values) if window and window.usable else greys.spread(values, source.grey_scale)


def grey_frame(source: Source, number: int) -> Grey:
    """One frame's luma, uint8 [H, W]: the Y channel where the file has one."""
    if source.opened.syntax == JPEGBaseline8Bit and (luma := _jpeg_luma(source, number)) is not None:
        return luma
    if source.shape.photometric.startswith("YBR_FULL"):
        array, photometric = source.decoded(number)
        if photometric.startswith("YBR_FULL"):
            return _eight_bits(array[..., 0], source.shape.bits_stored)
    colour = colour_frame(source, number)
    if colour.ndim == 2:
        return colour
    mixed: Grey = np.rint(colour.astype(np.float32) @ _LUMA).astype(np.uint8)
    return mixed


def _jpeg_luma(source: Source, number: int) -> Grey | None:
    """Decoded alone, without the colours; None where the frame has no luma of its own."""
    data = source.encoded(number)
    found = jpeg.facts(data)
    if found is None or not found.of_eight_bits or (found.rows, found.columns) != source.shape.size:
        return None
    if len(found.components) != 3 or source.shape.samples != 3:
        return None
    if not colours.decided(data, source.shape.photometric).startswith("YBR_FULL"):
        return None
    with _as_refusal(source.opened, number):
        return jpeg.decode(data, found, luma=True)


def _browser_shows_as_meant(data: bytes, found: jpeg.Facts, shape: pixel_layout.Layout) -> bool:
    """A baseline JPEG of the declared size, with its end, whose colours a browser reads as they are meant."""
    if not found.baseline or (found.rows, found.columns) != shape.size or jpeg.EOI not in data[-4:]:
        return False
    if len(found.components) == 1:
        return shape.samples == 1 and shape.photometric == "MONOCHROME2"
    if len(found.components) != 3 or shape.samples != 3:
        return False
    browsers = "RGB" if found.colours == "RGB" else "YBR_FULL"
    return colours.decided(data, shape.photometric) == browsers
