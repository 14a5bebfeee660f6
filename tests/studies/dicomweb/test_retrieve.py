"""WADO-RS."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom
import pytest
from django.test import Client
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from pytest_django import Settings

from accounts.models import AuditEntry, User
from studies import storage
from studies.models import Clip, InstanceHeader
from tests.studies.conftest import Take
from tests.studies.dicoms import COLUMNS, ROWS, dataset, encoded

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous"),
]
ROOT = "/dicom-web/studies/1.1"
INSTANCE = f"{ROOT}/series/1.1.1/instances/1.1.1.1"
UIDS: dict[str, Any] = {"StudyInstanceUID": "1.1", "SeriesInstanceUID": "1.1.1", "SOPInstanceUID": "1.1.1.1"}
RELATED = 'multipart/related; type="{}"'


class Part(NamedTuple):
    kind: str
    data: bytes


@pytest.fixture
def put(read_here: None, take: Take) -> Callable[..., bytes]:
    """Store a clip; its bytes."""

    def putting(syntax: str = ExplicitVRLittleEndian, **facts: Any) -> bytes:
        made = dataset(**{**UIDS, **facts})
        data = encoded(made)
        if syntax == RLELossless:
            made.compress(RLELossless, generate_instance_uid=False)
        data = encoded(made, syntax=syntax)
        assert take(data).outcome in ("stored", "parked")
        return data

    return putting


def _get(client: Client, path: str, **headers: str) -> Any:
    return client.get(path, headers=headers)


def _parts(answer: Any) -> list[Part]:
    body = _body(answer)
    assert answer["Content-Type"].startswith("multipart/related")
    boundary = answer["Content-Type"].rpartition("boundary=")[2].encode()
    parts = [each.partition(b"\r\n\r\n") for each in body.split(b"\r\n--" + boundary)[1:-1]]
    return [Part(message_from_bytes(head.lstrip())["Content-Type"], data) for head, _, data in parts]


def _body(answer: Any) -> bytes:
    assert answer.status_code in (200, 206), answer.content
    return b"".join(answer)


def test_a_study_comes_whole_and_byte_for_byte(reader: Client, put: Callable[..., bytes]) -> None:
    files = [put(SOPInstanceUID=f"1.1.1.{number}", InstanceNumber=number) for number in (1, 2)]
    answer = _get(reader, ROOT)
    assert answer["Content-Type"].startswith('multipart/related; type="application/dicom"')
    assert answer["X-Fontanelle-Notice"] == "Research use only"
    parts = _parts(answer)
    assert [part.data for part in parts] == files
    assert parts[0].kind == f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"


def test_the_declared_length_is_that_of_the_body(reader: Client, put: Callable[..., bytes]) -> None:
    put()
    for path in (ROOT, f"{INSTANCE}/frames/1,2"):
        answer = _get(reader, path)
        assert int(answer["Content-Length"]) == len(_body(answer))


@pytest.mark.parametrize(
    "accept", ["application/dicom", "application/dicom; transfer-syntax=*", "text/x, application/dicom;q=0.1"]
)
def test_one_instance_comes_alone_where_a_client_takes_it_so(
    reader: Client, put: Callable[..., bytes], accept: str
) -> None:
    data = put()
    answer = _get(reader, INSTANCE, accept=accept)
    assert (answer["Content-Type"].split(";")[0], _body(answer)) == ("application/dicom", data)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless]
)
def test_other_syntaxes_come_as_explicit_little_endian(reader: Client, put: Callable[..., bytes], syntax: str) -> None:
    stored = pydicom.dcmread(io.BytesIO(put(syntax)))
    (part,) = _parts(_get(reader, INSTANCE, accept=RELATED.format("application/dicom")))
    given = pydicom.dcmread(io.BytesIO(part.data))
    assert given.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert np.array_equal(given.pixel_array, stored.pixel_array)
    assert given.PatientName == stored.PatientName


@pytest.mark.parametrize("asked", ["*", RLELossless, f'"{RLELossless}"'])
def test_what_is_stored_comes_where_it_is_asked_for(reader: Client, put: Callable[..., bytes], asked: str) -> None:
    data = put(RLELossless)
    (part,) = _parts(_get(reader, INSTANCE, accept=f"{RELATED.format('application/dicom')}; transfer-syntax={asked}"))
    assert part == Part(f"application/dicom; transfer-syntax={RLELossless}", data)


def test_the_better_liked_form_is_given(reader: Client, put: Callable[..., bytes]) -> None:
    put(RLELossless)
    single, related = "application/dicom", RELATED.format("application/dicom")
    answer = _get(reader, INSTANCE, accept=f"{single}; transfer-syntax=*; q=0.4, {related}; q=0.9")
    assert answer["Content-Type"].startswith("multipart/related")
    answer = _get(reader, INSTANCE, accept=f"{single}; transfer-syntax=*; q=0.4, {related}; q=0.1")
    assert answer["Content-Type"] == f"application/dicom; transfer-syntax={RLELossless}"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (ROOT, "image/png"),
        (ROOT, "application/dicom;q=0"),
        (INSTANCE, f"{RELATED.format('application/dicom')}; transfer-syntax=1.2.840.10008.1.2.4.50"),
        (f"{INSTANCE}/frames/1", "image/jpeg"),
        (f"{INSTANCE}/frames/1,2", "application/octet-stream"),
        (f"{INSTANCE}/rendered", "application/dicom"),
        (f"{INSTANCE}/metadata", "application/dicom"),
    ],
)
def test_what_nobody_can_give_is_406_with_a_sentence(
    reader: Client, put: Callable[..., bytes], path: str, accept: str
) -> None:
    put()
    answer = _get(reader, path, accept=accept)
    assert (answer.status_code, answer.json()["detail"][-1]) == (406, ".")


def test_metadata_are_the_header_as_pydicom_reads_it(
    reader: Client, put: Callable[..., bytes], settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://us.example"
    data = put()
    (item,) = _get(reader, f"{ROOT}/metadata").json()
    assert item.pop("7FE00010")["BulkDataURI"] == f"https://us.example{INSTANCE}/bulkdata/7FE00010"
    read = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    assert item == json.loads(json.dumps(read.to_json_dict()))


@pytest.mark.parametrize("path", [ROOT, f"{ROOT}/series/1.1.1", INSTANCE])
def test_nothing_opens_a_file_for_metadata(
    reader: Client, put: Callable[..., bytes], path: str, settings: Settings, tmp_path: Path
) -> None:
    put()
    settings.STORAGE_URL = f"file://{tmp_path}/elsewhere"
    assert len(_get(reader, f"{path}/metadata").json()) == 1


def test_a_clip_whose_header_was_never_kept_says_what_is_known(reader: Client, put: Callable[..., bytes]) -> None:
    put()
    InstanceHeader.objects.all().delete()
    (item,) = _get(reader, f"{ROOT}/metadata").json()
    assert (item["00080018"]["Value"], item["00280010"]["Value"]) == (["1.1.1.1"], [ROWS])
    assert _body(_get(reader, f"{INSTANCE}/frames/1", accept="application/octet-stream")) != b""


@pytest.mark.parametrize("path", [ROOT, INSTANCE, f"{ROOT}/metadata", f"{INSTANCE}/frames/1", f"{INSTANCE}/rendered"])
def test_what_a_client_has_is_304(reader: Client, put: Callable[..., bytes], path: str) -> None:
    put()
    tag = _get(reader, path)["ETag"]
    again = _get(reader, path, **{"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    put(SOPInstanceUID="1.1.1.2")
    whole = path in (ROOT, f"{ROOT}/metadata")
    assert _get(reader, path, **{"if-none-match": tag}).status_code == (200 if whole else 304)


@pytest.mark.parametrize(
    ("asked", "span"),
    [("bytes=0-9", (0, 10)), ("bytes=5-", (5, None)), ("bytes=-7", (-7, None)), ("bytes=0-99999999", (0, None))],
)
def test_a_single_body_has_ranges(
    reader: Client, put: Callable[..., bytes], asked: str, span: tuple[int, int | None]
) -> None:
    data = put()
    answer = _get(reader, INSTANCE, accept="application/dicom", range=asked)
    assert (answer.status_code, _body(answer)) == (206, data[slice(*span)])
    assert answer["Content-Range"].endswith(f"/{len(data)}")


def test_a_range_beyond_the_end_is_416_and_nonsense_is_ignored(reader: Client, put: Callable[..., bytes]) -> None:
    put()
    assert _get(reader, INSTANCE, accept="application/dicom", range="bytes=999999-").status_code == 416
    assert _get(reader, INSTANCE, accept="application/dicom", range="lines=1-2").status_code == 200
    assert (
        _get(reader, INSTANCE, accept="application/dicom", **{"range": "bytes=0-1", "if-range": '"x"'}).status_code
        == 200
    )


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, ExplicitVRBigEndian])
def test_frames_are_the_pixels_that_pydicom_reads(reader: Client, put: Callable[..., bytes], syntax: str) -> None:
    stored = pydicom.dcmread(io.BytesIO(put(syntax, NumberOfFrames=3, frames=3)))
    parts = _parts(_get(reader, f"{INSTANCE}/frames/3,1", accept=RELATED.format("application/octet-stream")))
    assert [part.data for part in parts] == [stored.pixel_array[2].tobytes(), stored.pixel_array[0].tobytes()]
    assert parts[0].kind == f"application/octet-stream; transfer-syntax={ExplicitVRLittleEndian}"


@pytest.mark.parametrize(
    "kind", ["image/dicom-rle", "application/octet-stream; transfer-syntax=*", "*/*; transfer-syntax=*"]
)
def test_compressed_frames_come_as_they_are_stored(reader: Client, put: Callable[..., bytes], kind: str) -> None:
    stored = pydicom.dcmread(io.BytesIO(put(RLELossless)))
    kind, _, rest = kind.partition(";")
    (part,) = _parts(_get(reader, f"{INSTANCE}/frames/2", accept=f"{RELATED.format(kind)};{rest}"))
    assert part.data == list(generate_frames(stored.PixelData, number_of_frames=2))[1]
    assert part.kind.endswith(f"transfer-syntax={RLELossless}")


def test_frames_that_nobody_here_decodes_come_as_they_are_stored(reader: Client, read_here: None, take: Take) -> None:
    """JPEG XL, which the decoders here do not know."""
    made = dataset(**UIDS, PixelData=encapsulate([b"\xff\x0aone!", b"\xff\x0atwo!"]))
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    take(encoded(made, syntax=MPEG2MPML).replace(MPEG2MPML.encode(), b"1.2.840.10008.1.2.4.110"))
    answer = _get(reader, f"{INSTANCE}/frames/2", accept="*/*; transfer-syntax=*")
    assert [part.data for part in _parts(answer)] == [b"\xff\x0atwo!"]
    assert _get(reader, f"{INSTANCE}/frames/2", accept=RELATED.format("application/octet-stream")).status_code == 422


@pytest.mark.parametrize("frames", ["0", "3", "1,9", "x", "1;2", "-1", "1,", "99999999999"])
def test_frames_that_are_not_there_are_no_500(reader: Client, put: Callable[..., bytes], frames: str) -> None:
    put()
    assert _get(reader, f"{INSTANCE}/frames/{frames}").status_code in (400, 404)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_all_pixels_are_one_value(reader: Client, put: Callable[..., bytes], syntax: str) -> None:
    stored = pydicom.dcmread(io.BytesIO(put(syntax)))
    (part,) = _parts(_get(reader, f"{INSTANCE}/bulkdata/7FE00010", accept=RELATED.format("application/octet-stream")))
    assert part.data == stored.pixel_array.tobytes()
    if syntax == RLELossless:
        asked = f"{RELATED.format('image/dicom-rle')}; transfer-syntax={RLELossless}"
        assert len(_parts(_get(reader, f"{INSTANCE}/bulkdata/7FE00010", accept=asked))) == 2


def test_other_large_values_are_behind_their_addresses(reader: Client, put: Callable[..., bytes]) -> None:
    inner = dataset(ImageComments="y" * 20_000, PixelData=None)
    put(ReferencedStudySequence=[inner])
    (item,) = _get(reader, f"{INSTANCE}/metadata").json()
    nested = item["00081110"]["Value"][0]["00204000"]["BulkDataURI"]
    path = "/dicom-web" + nested.partition("/dicom-web")[2]
    assert _body(_get(reader, path, accept="application/octet-stream")) == b"y" * 20_000


@pytest.mark.parametrize(
    "steps", ["00100010/0/00100020", "99999999", "xx", "00081110/7/00204000", "7FE00010/0/00100010"]
)
def test_values_that_are_not_there_are_404(reader: Client, put: Callable[..., bytes], steps: str) -> None:
    put()
    assert _get(reader, f"{INSTANCE}/bulkdata/{steps}").status_code == 404


def _image(answer: Any) -> Image.Image:
    return Image.open(io.BytesIO(_body(answer)))


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        (f"{INSTANCE}/rendered", "*/*", "JPEG"),
        (f"{INSTANCE}/frames/2/rendered", "image/png", "PNG"),
        (f"{INSTANCE}/rendered?accept=image/png", "text/html", "PNG"),
        (f"{ROOT}/series/1.1.1/rendered", "image/*", "JPEG"),
        (f"{ROOT}/rendered", "image/png;q=0.2, image/jpeg;q=0.1", "PNG"),
        (f"{ROOT}/thumbnail", "*/*", "JPEG"),
        (f"{INSTANCE}/thumbnail", "image/jpeg", "JPEG"),
    ],
)
def test_pictures_are_jpeg_or_png(reader: Client, put: Callable[..., bytes], path: str, accept: str, kind: str) -> None:
    put()
    assert _image(_get(reader, path, accept=accept)).format == kind


def test_a_rendered_frame_has_the_greys_of_the_file_and_the_notice(reader: Client, put: Callable[..., bytes]) -> None:
    stored = pydicom.dcmread(io.BytesIO(put()))
    image: Any = _image(_get(reader, f"{INSTANCE}/frames/2/rendered", accept="image/png"))
    assert np.array_equal(np.asarray(image), stored.pixel_array[1])
    assert image.text["Comment"] == "Research use only"


def test_a_window_is_applied(reader: Client, put: Callable[..., bytes]) -> None:
    stored = pydicom.dcmread(io.BytesIO(put()))
    image = np.asarray(_image(_get(reader, f"{INSTANCE}/rendered?window=100,1,linear", accept="image/png")))
    assert np.array_equal(image, np.where(stored.pixel_array[0] > 99.5, 255, 0))


@pytest.mark.parametrize(
    ("viewport", "size"), [("16,16", (16, 12)), ("64,64", (64, 48)), ("8,8,0,0,4,4", (8, 8)), ("8,8,,,4,-4", (8, 8))]
)
def test_a_picture_fits_the_viewport(
    reader: Client, put: Callable[..., bytes], viewport: str, size: tuple[int, int]
) -> None:
    put()
    assert _image(_get(reader, f"{INSTANCE}/rendered?viewport={viewport}")).size == size


def test_several_instances_are_several_pictures(reader: Client, put: Callable[..., bytes]) -> None:
    put()
    put(SOPInstanceUID="1.1.1.2")
    parts = _parts(_get(reader, f"{ROOT}/rendered", accept="image/jpeg"))
    assert [part.kind for part in parts] == ["image/jpeg", "image/jpeg"]


@pytest.mark.parametrize(
    "query",
    ["window=1", "window=1,0", "window=x,y", "window=1,2,cubic", "viewport=0,0", "viewport=1", "viewport=9,9,99,0,1,1",
     "quality=0", "quality=x", "viewport=nan,nan", "window=inf,1", "viewport=100000,1"],
)  # fmt: skip
def test_pictures_that_make_no_sense_are_400(reader: Client, put: Callable[..., bytes], query: str) -> None:
    put()
    assert _get(reader, f"{INSTANCE}/rendered?{query}").status_code == 400
    assert (COLUMNS, ROWS) == (32, 24)


def test_what_holds_no_image_is_said(reader: Client, put: Callable[..., bytes]) -> None:
    put(Modality="SR", PixelData=None, Rows=None, Columns=None, NumberOfFrames=None)
    for path in (f"{INSTANCE}/rendered", f"{INSTANCE}/thumbnail", f"{ROOT}/rendered"):
        assert _get(reader, path).status_code == 422


def _spoil(digest: str) -> None:
    path = storage.store().local(digest)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def test_a_file_that_rotted_is_reported_and_never_given(reader: Client, put: Callable[..., bytes]) -> None:
    put()
    picture = f"{INSTANCE}/frames/1/rendered"
    ours = "/api/v1/studies/1.1/clips/1.1.1.1/frames/1/"
    assert [_get(reader, path).status_code for path in (picture, ours, INSTANCE)] == [200, 200, 200]
    _spoil(Clip.objects.get().digest)
    for path in (ROOT, INSTANCE, picture, f"{INSTANCE}/frames/1", f"{INSTANCE}/bulkdata/7FE00010", ours):
        answer = _get(reader, path)
        assert (answer.status_code, "has changed on the disk" in answer.json()["detail"]) == (422, True)
    assert AuditEntry.objects.filter(action="instance.damage_noticed").count() == 6


def test_a_study_comes_without_its_rotten_instance_and_says_so(reader: Client, put: Callable[..., bytes]) -> None:
    data = put()
    put(SOPInstanceUID="1.1.1.2")
    _spoil(Clip.objects.get(sop_uid="1.1.1.2").digest)
    answer = _get(reader, ROOT)
    assert (answer.status_code, "1 left out" in answer["Warning"]) == (206, True)
    assert [part.data for part in _parts(answer)] == [data]


@pytest.mark.parametrize(
    "path",
    [
        "/dicom-web/studies/1.9",
        f"{ROOT}/series/1.9",
        f"{ROOT}/series/1.1.1/instances/1.9",
        f"{ROOT}/series/1.9/metadata",
        "/dicom-web/studies/..%2F..%2Fetc",
        "/dicom-web/studies/abc/rendered",
    ],
)
def test_what_is_not_there_is_404(reader: Client, put: Callable[..., bytes], path: str) -> None:
    put()
    assert _get(reader, path).status_code == 404


@pytest.mark.parametrize("path", [ROOT, INSTANCE, f"{ROOT}/metadata", f"{INSTANCE}/frames/1", f"{INSTANCE}/rendered"])
def test_annotators_retrieve_nothing(annotator: User, put: Callable[..., bytes], path: str) -> None:
    put()
    client = Client()
    client.force_login(annotator)
    assert _get(client, path).status_code == 403


def test_each_retrieval_is_one_audit_entry_that_names_the_patient(reader: Client, put: Callable[..., bytes]) -> None:
    put()
    for path in (ROOT, f"{ROOT}/metadata", f"{INSTANCE}/frames/1", f"{INSTANCE}/rendered"):
        _get(reader, path)
    entries = AuditEntry.objects.filter(action__contains="retrieved")
    assert [entry.patient_id for entry in entries] == ["P1"] * 4
