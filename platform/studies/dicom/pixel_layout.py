"""Whether the declared pixels make sense and are all there, found out without decoding or allocating any of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGBaseline8Bit, RLELossless

from studies.dicom import colours, compressed, fragments, jpeg2000, palette, syntaxes, video
from studies.dicom.attributes import text, value
from studies.dicom.bounded_reader import UNDEFINED, DicomFile, Refused
from studies.dicom.facts import PixelFacts
from studies.dicom.kinds import is_video

MAX_FRAME_PIXELS = 64 * 1024**2
MAX_FRAMES = 20_000
_OVERSTATED_FACTOR = 16
_OVERSTATED_BYTES = 64 * 1024**2
_PADDING_BITS = 16
_COMPRESSED = "Its header says that its pixels are not compressed, but they are: they cannot be shown as they stand."
_COLOUR = ("RGB", "YBR")
_OF_ONE = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_OF_THREE = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT")
_TRANSFORMED = ("YBR_RCT", "YBR_ICT")
_NOT_2000 = "Its header says {}, which only JPEG 2000 has: a converter left it. Shown as what is decoded."
_UNTRANSFORMED = "Its header says {}, its compressed frames have no such transform: shown as red, green and blue."
_SAMPLINGS = ("_422", "_420")
_SHARE = {"": 6, "422": 4, "420": 3}
_PLANES = "Its header says {} plane by plane, which no such picture is: read {}, as its first frame suggests."
_SURPLUS = "Its pixels hold {} bytes more than its {}: not shown."
_MISCOUNTED = (
    "Its pixels hold more than the {} frames that its header counts, and where those end is unknown: not scored."
)


@dataclass(frozen=True)
class Layout:
    """``rows`` x ``columns`` pixels of ``samples`` values in ``frames`` frames; ``flaw`` is empty when all is there.

    Of a flawed clip the first ``whole`` frames can still be decoded. ``counted`` is the header's number of frames, 1
    where it has none. ``sampling`` of the colours of uncompressed pixels is 422 or 420, empty where every pixel has its
    own; ``planar`` ones lie plane by plane. ``shift``: bits below those that are stored. ``regrouped``: the fragments
    of a frame are those that begin with an image, whatever tables say.
    """

    photometric: str = ""
    rows: int = 0
    columns: int = 0
    frames: int = 0
    counted: int = 0
    sampling: str = ""
    planar: bool = False
    regrouped: bool = False
    samples: int = 1
    bits_allocated: int = 8
    bits_stored: int = 8
    shift: int = 0
    flaw: str = ""
    flaw_reason: str = ""
    whole: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)"""
        return self.rows, self.columns

    def as_facts(self) -> PixelFacts:
        return cast(PixelFacts, asdict(self))


def check(opened: DicomFile) -> Layout:
    """The layout of the pixels; raises Refused for a header that no honest device writes."""
    if not opened.pixel_kind:
        return Layout(flaw="no_pixels", flaw_reason="It holds no image.")
    _correct_length(opened)
    dataset = opened.dataset
    photometric = colours.in_words(text(dataset, "PhotometricInterpretation", 16))
    facts: dict[str, Any] = {
        "photometric": photometric,
        "rows": _count(dataset, "Rows", 1, 65535),
        "columns": _count(dataset, "Columns", 1, 65535),
        "samples": _one_of(dataset, "SamplesPerPixel", {1, 3, 4}, 3 if photometric.startswith(_COLOUR) else 1),
        "bits_allocated": _one_of(dataset, "BitsAllocated", {1, 8, 16, 32, 64}, None),
        "frames": _frames(dataset),
        "planar": value(dataset, "PlanarConfiguration") == 1,
    }
    facts["bits_stored"] = _bits_stored(opened, facts["bits_allocated"])
    if value(dataset, "PixelRepresentation") is None:
        opened.warnings.append("Its header does not say whether values have a sign: taken as without.")
    facts["shift"] = _shift(opened, facts["bits_allocated"], facts["bits_stored"])
    if facts["rows"] * facts["columns"] > MAX_FRAME_PIXELS:
        raise Refused("too_large", f"It declares frames of {facts['columns']} x {facts['rows']} pixels: too large.")
    return _looked_into(opened, _named(opened, Layout(**facts, counted=facts["frames"])))


def _looked_into(opened: DicomFile, layout: Layout) -> Layout:
    """The layout that the header declares, beside what the bytes are."""
    if reason := _why_not_decodable(opened, layout) or _why_not_native(opened, layout):
        return replace(layout, flaw="undecodable", flaw_reason=reason)
    if is_video(opened.syntax):
        return replace(layout, whole=layout.frames)
    if layout.photometric == "PALETTE COLOR":
        palette.say_what_is_decided(opened)
    layout = _recounted(opened, _laid_out(opened, _sampled(opened, layout)))
    flaw, reason = _flaw(opened, layout)
    whole = layout.frames
    if layout.photometric in _TRANSFORMED and opened.syntax not in JPEG2000TransferSyntaxes:
        opened.warnings.append(_NOT_2000.format(layout.photometric))
    if opened.pixel_length == UNDEFINED and opened.syntax != RLELossless:
        data = fragments.read(opened, fragments.walk(opened)[0][:1])
        layout = _deepened(opened, layout, compressed.depth(data))
        _say_whose_colours(opened, layout, data)
    if flaw and flaw != "miscounted":
        whole = _whole_frames(opened, layout) if flaw == "truncated" else 0
    return replace(layout, flaw=flaw, flaw_reason=reason, whole=whole)


def _correct_length(opened: DicomFile) -> None:
    """Of the pixel element, where it says that it goes on beyond the file, or that its fragments have one length."""
    length, held = opened.pixel_length, max(0, opened.stream_size - opened.pixel_start)
    if length == UNDEFINED:
        return
    if opened.syntax.is_encapsulated and fragments.begins_item(opened, opened.pixel_start, held):
        opened.pixel_length = UNDEFINED
        opened.warnings.append(f"Its header says {length} bytes of pixels, which are in fragments: taken as those say.")
    elif length > held:
        opened.pixel_length = held
        opened.warnings.append(
            f"Its header says {length} bytes of pixels, the file ends after {held}: taken to its end."
        )


def _named(opened: DicomFile, layout: Layout) -> Layout:
    """With the colours that so many samples can have, where the header names none or others."""
    if layout.samples == 1 and layout.photometric not in _OF_ONE:
        photometric, shown = "MONOCHROME2", "each pixel has one sample: shown as grey"
    elif layout.samples == 3 and layout.photometric in ("", *_OF_ONE):
        photometric, shown = "RGB", "each pixel has three samples: shown as red, green and blue"
    else:
        return layout
    opened.warnings.append(f"Its header says {layout.photometric or 'nothing'} of its colours, {shown}.")
    return replace(layout, photometric=photometric)


def _deepened(opened: DicomFile, layout: Layout, depth: int) -> Layout:
    """With as many bits as the first frame has where the header has no room for them, or more than a JPEG holds."""
    fits = depth <= layout.bits_allocated and (layout.bits_stored > 8 or depth <= 8)
    if not 0 < depth <= 16 or (fits and not (opened.syntax == JPEGBaseline8Bit and depth < layout.bits_stored)):
        return layout
    opened.warnings.append(
        f"Its header says {layout.bits_stored} bits stored, its compressed frames have {depth} bits: shown so."
    )
    return replace(layout, bits_stored=depth, bits_allocated=8 if depth <= 8 else 16, shift=0)


def _say_whose_colours(opened: DicomFile, layout: Layout, data: bytes) -> None:
    """Where the first frame contradicts the header."""
    if layout.samples != 3:
        return
    said, shown = colours.of_stream(data), colours.decided(data, layout.photometric)
    if layout.photometric in _TRANSFORMED and jpeg2000.transforms(data) is False:
        opened.warnings.append(_UNTRANSFORMED.format(layout.photometric))
    meant = "RGB" if layout.photometric in ("RGB", *_TRANSFORMED) else "YBR_FULL"
    if said and said != meant:
        whose = "those say" if shown == said else "the header says"
        opened.warnings.append(f"Its header says {layout.photometric}, its compressed frames {said}: shown as {whose}.")


def _sampled(opened: DicomFile, layout: Layout) -> Layout:
    """Uncompressed colours are halved as the header says, unless the length of the pixels is that of whole ones."""
    if opened.pixel_length == UNDEFINED or layout.samples != 3 or not layout.photometric.endswith(_SAMPLINGS):
        return layout
    full = (_frame_bits(layout) * layout.frames + 7) // 8
    if opened.pixel_length not in (full, full + full % 2):
        return replace(layout, sampling=layout.photometric[-3:])
    opened.warnings.append(
        f"Its header says {layout.photometric}, its pixels are as long as those with colours of their own: shown so."
    )
    return layout


def _laid_out(opened: DicomFile, layout: Layout) -> Layout:
    """PS3.3, C.7.6.3.1.2, knows no planes of halved colours: some files have them, others only say so."""
    size = frame_bytes(layout)
    if layout.sampling != "422" or not layout.planar or not _can_be_halved(layout) or _pixel_bytes(opened) < size:
        return layout
    opened.stream.seek(opened.pixel_start)
    planar = colours.lie_in_planes(opened.stream.read(size), layout.rows * layout.columns)
    opened.warnings.append(_PLANES.format(layout.photometric, "so" if planar else "pixel by pixel"))
    return replace(layout, planar=planar)


def _recounted(opened: DicomFile, layout: Layout) -> Layout:
    """With as many frames as the pixels hold where the header counts fewer: nobody calls normal what nobody sees."""
    if opened.pixel_kind != "pixels":
        return layout
    held = _held_encapsulated(opened, layout) if opened.pixel_length == UNDEFINED else _held_native(opened, layout)
    if layout.frames < held.frames <= MAX_FRAMES:
        opened.warnings.append(
            f"Its header counts {layout.counted} frame{'s' * (layout.counted > 1)}, "
            f"its pixels hold {held.frames}: all of them are shown."
        )
    return held if held.frames <= MAX_FRAMES else layout


def _held_encapsulated(opened: DicomFile, layout: Layout) -> Layout:
    count = len(fragments.walk(opened)[0])
    if count == layout.frames > 1 or not opened.syntax.is_encapsulated:
        return layout
    found = len(fragments.by_frame(opened))
    regrouped = found > layout.frames or found == layout.frames != count
    return replace(layout, frames=found, regrouped=True) if regrouped else layout


def _held_native(opened: DicomFile, layout: Layout) -> Layout:
    """More frames are believed where they fill the pixel element to its end."""
    bits = _pixel_bytes(opened) * 8
    frames, rest = divmod(bits, _frame_bits(layout))
    honest = opened.pixel_length == _pixel_bytes(opened)
    exact = honest and rest < _PADDING_BITS and _surplus_bits(opened, layout) >= _frame_bits(layout)
    if layout.sampling and bits % _frame_bits(replace(layout, sampling="")) < _PADDING_BITS:
        exact = False  # it may as well be fewer frames with colours of their own
    if exact:
        return replace(layout, frames=frames)
    if _PADDING_BITS <= (surplus := _surplus_bits(opened, layout)) < _frame_bits(layout):
        counted = f"{layout.frames} frames" if layout.frames > 1 else "frame"
        opened.warnings.append(_SURPLUS.format(surplus // 8, counted))
    return layout


def _surplus_bits(opened: DicomFile, layout: Layout) -> int:
    """Beyond the frames that count and the byte that makes their length even."""
    declared = (_frame_bits(layout) * layout.frames + 7) // 8
    return 8 * (_pixel_bytes(opened) - declared - declared % 2)


def _bits_stored(opened: DicomFile, allocated: int) -> int:
    """As many as are allocated where the header does not say, or says what cannot be."""
    stored = value(opened.dataset, "BitsStored")
    if stored is None:
        opened.warnings.append(f"Its header does not say how many bits are stored: taken as {allocated}.")
        return allocated
    if isinstance(stored, int) and 0 < stored <= allocated:
        return int(stored)
    opened.warnings.append(f"Its header says {_shown(stored)} bits stored in {allocated}: taken as {allocated}.")
    return allocated


def _shift(opened: DicomFile, allocated: int, stored: int) -> int:
    """How many bits lie below those that are stored: the header's high bit says it, where that can be."""
    high = value(opened.dataset, "HighBit")
    return int(high) + 1 - stored if isinstance(high, int) and stored <= high < allocated else 0


def _count(dataset: Dataset, keyword: str, low: int, high: int) -> int:
    declared = value(dataset, keyword)
    if not isinstance(declared, int) or not low <= declared <= high:
        raise Refused("bad_image", f"Its {keyword} is {_shown(declared)}, not a number from {low} to {high}.")
    return int(declared)


def _one_of(dataset: Dataset, keyword: str, allowed: set[int], default: int | None) -> int:
    declared = value(dataset, keyword)
    if declared is None and default is not None:
        return default
    if not isinstance(declared, int) or declared not in allowed:
        raise Refused("bad_image", f"Its {keyword} is {_shown(declared)}, which no image has.")
    return int(declared)


def _frames(dataset: Dataset) -> int:
    declared = value(dataset, "NumberOfFrames")
    if declared is None:
        return 1
    try:
        frames = int(str(declared))
    except ValueError:
        frames = -1
    if frames == 0:
        return 1
    if not 0 < frames <= MAX_FRAMES:
        raise Refused("bad_image", f"Its NumberOfFrames is {_shown(declared)}, not a number from 1 to {MAX_FRAMES}.")
    return frames


def _shown(declared: object) -> str:
    return "missing" if declared is None else repr(declared)[:40]


def _flaw(opened: DicomFile, layout: Layout) -> tuple[str, str]:
    if opened.pixel_kind != "pixels":
        return "undecodable", "Its pixels are floating-point numbers, which are not shown."
    return _encapsulated_flaw(opened, layout) if opened.pixel_length == UNDEFINED else _native_flaw(opened, layout)


def _why_not_decodable(opened: DicomFile, layout: Layout) -> str:
    """What says more than any count of frames: pixels that no decoder here takes."""
    if is_video(opened.syntax):
        return video.why_not_played(opened)
    if reason := syntaxes.why_not_shown(opened.syntax):
        return reason
    if opened.pixel_length == UNDEFINED and not opened.syntax.is_encapsulated:
        return _COMPRESSED
    if layout.samples != 1 and not (layout.samples == 3 and layout.photometric in _OF_THREE):
        colours = layout.photometric or "nothing that is known"
        return f"Its colours are {colours} of {layout.samples} samples, which cannot be shown here."
    return palette.why_not(opened) if layout.photometric == "PALETTE COLOR" else ""


def _why_not_native(opened: DicomFile, layout: Layout) -> str:
    """Uncompressed pixels that begin as a compressed image does, and have another length than the header says."""
    if opened.syntax.is_encapsulated or opened.pixel_length == UNDEFINED:
        return ""
    declared = (_frame_bits(layout) * layout.frames + 7) // 8
    compressed = fragments.begins_compressed(opened, opened.pixel_start, _pixel_bytes(opened))
    return _COMPRESSED if compressed and opened.pixel_length not in (declared, declared + declared % 2) else ""


def _native_flaw(opened: DicomFile, layout: Layout) -> tuple[str, str]:
    if opened.syntax.is_encapsulated:
        return "undecodable", "Its header says compressed, its pixels are not."
    if layout.sampling and not _can_be_halved(layout):
        return "undecodable", f"Its colours are halved ({layout.photometric}) in a way that cannot be shown here."
    present = _pixel_bytes(opened)
    declared = (_frame_bits(layout) * layout.frames + 7) // 8
    if declared > _OVERSTATED_BYTES and declared > _OVERSTATED_FACTOR * max(present, 1):
        raise Refused("too_large", f"It declares {declared // 1024**2} MB of pixels and holds {present // 1024} kB.")
    if present < declared:
        whole = _whole_frames(opened, layout)
        there = f"{whole} of {layout.frames} frames are whole" if whole else "no frame is whole"
        return "truncated", f"Incomplete: {there} ({present} of {declared} bytes of pixels are there)."
    if _surplus_bits(opened, layout) >= _frame_bits(layout):
        return "miscounted", _MISCOUNTED.format(layout.counted)
    return "", ""


def _can_be_halved(layout: Layout) -> bool:
    """Eight bits, even sides; colours shared by four pixels have an order of their own only plane by plane."""
    even = layout.columns % 2 == 0 and (layout.sampling == "422" or layout.rows % 2 == 0)
    return even and layout.bits_allocated == 8 and (layout.planar or layout.sampling == "422")


def _pixel_bytes(opened: DicomFile) -> int:
    return max(0, min(opened.pixel_length, opened.stream_size - opened.pixel_start))


def _whole_frames(opened: DicomFile, layout: Layout) -> int:
    """Of a clip that is cut: how many frames from the first are all there, beyond doubt."""
    if opened.pixel_length == UNDEFINED:
        return min(layout.frames, len(fragments.single_frames(opened)))
    return min(layout.frames, _pixel_bytes(opened) * 8 // _frame_bits(layout))


def frame_bytes(layout: Layout) -> int:
    """Of one uncompressed frame that fills its bytes."""
    return _frame_bits(layout) // 8


def _frame_bits(layout: Layout) -> int:
    bits = layout.rows * layout.columns * layout.samples * layout.bits_allocated
    return max(1, bits * _SHARE[layout.sampling] // 6)


def _encapsulated_flaw(opened: DicomFile, layout: Layout) -> tuple[str, str]:
    found, complete = fragments.walk(opened)
    if len(found) < layout.frames and not layout.regrouped:
        return "truncated", f"Incomplete: {len(found)} of {layout.frames} frames are there."
    if not complete:
        return "truncated", "Incomplete: the file ends inside its pixels."
    return "", ""
