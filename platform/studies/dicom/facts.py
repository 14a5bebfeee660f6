"""What the reader of a file answers about it, as JSON. No pydicom here: every process may import these types."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

WindowShape = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
SpatialFormat = Literal["2d", "m_mode", "spectral", "waveform", "graphics", "other"]
ScaleSource = Literal["Pixel Spacing", "Imager Pixel Spacing", "Nominal Scanned Pixel Spacing", "Pixel Measures"]


class Region(TypedDict):
    """One ultrasound region (PS3.3, C.8.5.5): a rectangle of the image and what a pixel in it is worth.

    Corners are the device's own pixel numbers, counted from 0, both ends in: in the coordinates of SCOORD, where (0, 0)
    is the outer corner of the first pixel, the region covers ``x0`` to ``x1 + 1`` and ``y0`` to ``y1 + 1``. Pairs are
    (x, y) and come as JSON arrays. ``axes``, ``delta``, ``reference`` and ``reference_value`` are those of a trace over
    time and absent from other regions. An M-mode trace has ``dy_cm`` alone: across it is time. Where the file states no
    region at all, the whole image is one with the ``source`` of its scale.
    """

    x0: Annotated[int, "pixel"]
    y0: Annotated[int, "pixel"]
    x1: Annotated[int, "pixel"]
    y1: Annotated[int, "pixel"]
    dx_cm: Annotated[float | None, "cm per pixel, positive; null where lengths cannot be trusted"]
    dy_cm: Annotated[float | None, "cm per pixel, positive; null where lengths cannot be trusted"]
    units: Annotated[str, "physical unit of both axes, or of each as x/y"]
    type: SpatialFormat
    inside: Annotated[bool, "the rectangle lies inside the image"]
    frames: NotRequired[Annotated[tuple[int, int], "first and last frame that have it; absent: every frame"]]
    axes: NotRequired[Annotated[tuple[str, str], "units of time and value, such as s and cm/s"]]
    delta: NotRequired[Annotated[tuple[float, float], "signed step per pixel, in the units of axes"]]
    reference: NotRequired[Annotated[tuple[int, int] | None, "pixel from the region's corner whose value is known"]]
    reference_value: NotRequired[Annotated[tuple[float, float], "value at that pixel, in the units of axes"]]
    low_priority: NotRequired[Annotated[bool, "any region of high priority lies over it where they meet"]]
    flow: NotRequired[Annotated[bool, "its data type is colour flow"]]
    source: NotRequired[Annotated[ScaleSource, "where the scale is from; absent: an ultrasound region of the file"]]


class Identity(TypedDict):
    """Identifiers of an instance, and what else tells it from others. Texts are empty where the file has none."""

    sop_uid: str
    study_uid: str
    series_uid: str
    sop_class: str
    modality: str
    manufacturer: str
    device: str
    accession: str
    description: str
    series_number: int | None
    instance_number: int | None


class PatientFacts(TypedDict):
    """Whom the header names. ``birth_date_from_age``: the date is counted back from an age in days."""

    id: str
    issuer: str
    name: Annotated[str, "as it came, a DICOM person name"]
    birth_date: Annotated[str | None, "ISO date"]
    birth_date_from_age: bool
    sex: Literal["F", "M", "O", ""]
    institution: str


class AsSent(TypedDict):
    """What a study's files call infant and study, as they write it: others know the study by these very texts."""

    patient_id: str
    issuer: Annotated[str, "Issuer of Patient ID"]
    name: Annotated[str, "DICOM person name (PN): groups between =, components between ^"]
    birth_date: Annotated[str, "DICOM date (DA)"]
    sex: str
    institution: str
    study_date: Annotated[str, "DICOM date (DA)"]
    study_time: Annotated[str, "DICOM time (TM), in the device's own zone"]
    utc_offset: Annotated[str, "+HHMM, -HHMM or empty"]
    study_id: str


def fuller(known: AsSent, said: AsSent) -> AsSent:
    """What is known, with what else is said where it is empty."""
    return {
        "patient_id": known["patient_id"] or said["patient_id"],
        "issuer": known["issuer"] or said["issuer"],
        "name": known["name"] or said["name"],
        "birth_date": known["birth_date"] or said["birth_date"],
        "sex": known["sex"] or said["sex"],
        "institution": known["institution"] or said["institution"],
        "study_date": known["study_date"] or said["study_date"],
        "study_time": known["study_time"] or said["study_time"],
        "utc_offset": known["utc_offset"] or said["utc_offset"],
        "study_id": known["study_id"] or said["study_id"],
    }


class Acquisition(TypedDict):
    """When study and clip were acquired: ISO, in the device's own time, and its offset from UTC where it names one."""

    study_at: str | None
    acquired_at: str | None
    utc_offset: Annotated[str, "+HHMM, -HHMM or empty"]


class FrameTiming(TypedDict):
    """How fast a clip runs, as far as the file can be believed; ``frame_time_flaw`` says what of it is not."""

    frame_time_ms: Annotated[float | None, "ms per frame"]
    frame_times_ms: Annotated[list[float] | None, "start of each frame in ms after the first"]
    frame_time_flaw: str
    display_rate: Annotated[float | None, "recommended frames per second"]


class ViewGuess(TypedDict):
    """Which view and plane the file's texts suggest, and a short label."""

    view: str
    plane: str
    label: str


class PixelFacts(TypedDict):
    """Declared pixels: ``rows`` x ``columns`` of ``samples`` values in ``frames`` frames, 0 where there is no image.

    ``flaw`` is a code, empty when all pixels are there; ``whole`` counts the frames from the first that can be decoded.
    Where the pixels hold more frames than the header says (``counted``), ``frames`` is what they hold; ``regrouped``
    then says that the fragments themselves told which of them make a frame.
    """

    photometric: str
    rows: int
    columns: int
    frames: int
    counted: int
    sampling: Annotated[str, "of uncompressed colours: 422, 420 or empty"]
    planar: bool
    regrouped: bool
    samples: int
    bits_allocated: int
    bits_stored: int
    shift: Annotated[int, "bits below those that are stored"]
    flaw: Literal["", "no_pixels", "undecodable", "truncated", "miscounted"]
    flaw_reason: str
    whole: int


class Content(TypedDict):
    """Digests of the data set and of its pixels: as they are written, or as decoded. ``encoding``: of the pixels."""

    data_set: str
    pixels: str
    encoding: str


class Places(TypedDict):
    """Where the frames lie in the file: ``frames`` of ``length`` bytes one behind the other from ``start``, or
    ``parts``, for each frame the start and the length of its first piece, of its second, and so on."""

    start: Annotated[int, "byte"]
    length: Annotated[int, "bytes of one frame"]
    frames: int
    parts: list[list[int]] | None


class Whole(TypedDict):
    """The whole header, for those who ask for it later. ``study`` and ``series``: DICOM JSON of those levels alone.

    ``elements`` is the DICOM JSON of everything, deflated; it is empty where only a part of the header can be read.
    """

    elements: bytes
    study: dict[str, Any]
    series: dict[str, Any]
    content: Content | None
    places: Places | None


class HeaderFacts(Identity, Acquisition, FrameTiming, ViewGuess):
    """What the platform makes of a DICOM header."""

    transfer_syntax: str
    as_sent: AsSent
    patient: PatientFacts
    pixels: PixelFacts
    regions: list[Region]
    oddities: Annotated[list[str], "what is odd about its identifiers; among the warnings, too"]
    warnings: list[str]
    pixel_notes: Annotated[list[str], "those of the warnings that tell what was decided about pixels"]


class Header(HeaderFacts):
    """Everything that a DICOM header says about a clip, and the header itself."""

    whole: Whole


class Look(TypedDict):
    """``window``: centre, width, shape. ``viewport``: the size to fit into, then, or zeros, the part of the picture
    that is shown: left, top, width and height, which are negative where it is turned over."""

    kind: str
    quality: int
    window: tuple[float, float, WindowShape] | None
    viewport: tuple[float, float, float, float, float, float] | None
