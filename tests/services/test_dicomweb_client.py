"""dicomweb-client against a real web process: each call of its public API that the services cover.

Values are compared with what pydicom reads of the file that was sent.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from tests.studies.dicoms import dataset, encoded, region
from tests.studies.site import Site

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]
MAKE_TOKEN = (
    "from accounts.models import User; from rest_framework.authtoken.models import Token;"
    "print(Token.objects.create(user=User.objects.create_user('a', role='admin')).key)"
)
PLAIN, PACKED = ("1.5", "1.5.1", "1.5.1.1"), ("1.5", "1.5.2", "1.5.2.1")


def _clip(uids: tuple[str, str, str], **facts: Any) -> Dataset:
    names = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    named: dict[str, Any] = dict(zip(names, uids, strict=True))
    return dataset(
        **named,
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        SpecificCharacterSet="ISO_IR 192",
        SequenceOfUltrasoundRegions=[region()],
        **facts,
    )


def _written(made: Dataset, *, packed: bool = False) -> bytes:
    data = encoded(made)
    if not packed:
        return data
    made.compress(RLELossless, generate_instance_uid=False)
    return encoded(made, syntax=RLELossless)


FILES = {PLAIN: _written(_clip(PLAIN, seed=1)), PACKED: _written(_clip(PACKED, seed=2), packed=True)}


def _sent(uids: tuple[str, str, str]) -> Dataset:
    return pydicom.dcmread(io.BytesIO(FILES[uids]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.extra["PUBLIC_URL"] = f"http://127.0.0.1:{made.port}"
    made.prepare()
    made.start()
    yield made
    made.kill()


def _client(site: Site, token: str) -> DICOMwebClient:
    url = f"http://127.0.0.1:{site.port}/dicom-web"
    return DICOMwebClient(url, headers={"Authorization": f"Token {token}"})


@pytest.fixture(scope="module")
def client(site: Site) -> DICOMwebClient:
    """A radiologist's, after two instances were stored."""
    made = _client(site, site.token)
    answer = made.store_instances([_sent(PLAIN), _sent(PACKED)])
    assert [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence] == [PLAIN[2], PACKED[2]]
    return made


def test_what_was_stored_leads_to_itself(site: Site, client: DICOMwebClient) -> None:
    answer = client.store_instances([_sent(PLAIN)], study_instance_uid=PLAIN[0])
    url = answer.ReferencedSOPSequence[0].RetrieveURL
    headers = {"Authorization": f"Token {site.token}", "Accept": "application/dicom"}
    given = requests.get(url, headers=headers, timeout=30)
    assert pydicom.dcmread(io.BytesIO(given.content)) == _sent(PLAIN)


def test_search_for_studies(client: DICOMwebClient) -> None:
    (found,) = client.search_for_studies(search_filters={"PatientName": "yamada*"}, fields=["PatientSex"])
    read = Dataset.from_json(found)
    assert (read.StudyInstanceUID, read.PatientName) == ("1.5", _sent(PLAIN).PatientName)
    assert (read.NumberOfStudyRelatedSeries, read.NumberOfStudyRelatedInstances) == (2, 2)
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def test_search_for_series(client: DICOMwebClient) -> None:
    found = client.search_for_series("1.5", search_filters={"Modality": "US"})
    assert {Dataset.from_json(item).SeriesInstanceUID for item in found} == {"1.5.1", "1.5.2"}
    assert len(client.search_for_series(limit=1)) == 1


def test_search_for_instances(client: DICOMwebClient) -> None:
    found = client.search_for_instances("1.5", "1.5.2", fields=["FrameTime"])
    (read,) = [Dataset.from_json(item) for item in found]
    assert (read.SOPInstanceUID, read.Rows, float(read.FrameTime)) == (PACKED[2], 24, 40.0)
    assert len(client.search_for_instances(get_remaining=True, limit=1)) == 2


def test_retrieve_study(client: DICOMwebClient) -> None:
    given = {
        each.SOPInstanceUID: each for each in client.retrieve_study("1.5", media_types=(("application/dicom", "*"),))
    }
    assert given == {PLAIN[2]: _sent(PLAIN), PACKED[2]: _sent(PACKED)}


def test_retrieve_study_uncompressed(client: DICOMwebClient) -> None:
    given = {each.SOPInstanceUID: each for each in client.retrieve_study("1.5")}
    for uids in FILES:
        assert given[uids[2]].file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert np.array_equal(given[uids[2]].pixel_array, _sent(uids).pixel_array)


def test_retrieve_series(client: DICOMwebClient) -> None:
    (given,) = client.retrieve_series(*PLAIN[:2])
    assert (given, given.PixelData) == (_sent(PLAIN), _sent(PLAIN).PixelData)


def test_retrieve_instance(client: DICOMwebClient) -> None:
    for uids in FILES:
        assert client.retrieve_instance(*uids) == _sent(uids)


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_retrieve_metadata(client: DICOMwebClient, level: str) -> None:
    asked: dict[str, Callable[[], Any]] = {
        "study": lambda: client.retrieve_study_metadata("1.5"),
        "series": lambda: client.retrieve_series_metadata(*PLAIN[:2]),
        "instance": lambda: [client.retrieve_instance_metadata(*PLAIN)],
    }
    (mine,) = [item for item in asked[level]() if item["00080018"]["Value"] == [PLAIN[2]]]
    mine.pop("7FE00010")
    read = pydicom.dcmread(io.BytesIO(FILES[PLAIN]), stop_before_pixels=True)
    assert mine == json.loads(json.dumps(read.to_json_dict()))


def test_retrieve_bulkdata(client: DICOMwebClient) -> None:
    for uids in FILES:
        (item,) = client.retrieve_series_metadata(*uids[:2])
        (given,) = client.retrieve_bulkdata(item["7FE00010"]["BulkDataURI"])
        assert given == _sent(uids).pixel_array.tobytes()


def test_retrieve_instance_frames(client: DICOMwebClient) -> None:
    for uids in FILES:
        given = client.retrieve_instance_frames(*uids, frame_numbers=[2, 1])
        assert given == [_sent(uids).pixel_array[1].tobytes(), _sent(uids).pixel_array[0].tobytes()]


def test_retrieve_instance_frames_as_they_are_stored(client: DICOMwebClient) -> None:
    kind = (("image/dicom-rle", RLELossless),)
    given = client.retrieve_instance_frames(*PACKED, frame_numbers=[1, 2], media_types=kind)
    assert given == list(generate_frames(_sent(PACKED).PixelData, number_of_frames=2))


def _pixels(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_retrieve_instance_rendered(client: DICOMwebClient) -> None:
    given = client.retrieve_instance_rendered(*PLAIN, media_types=("image/png",))
    assert np.array_equal(_pixels(given), _sent(PLAIN).pixel_array[0])
    assert client.retrieve_instance_rendered(*PLAIN)[:2] == b"\xff\xd8"


def test_retrieve_instance_frames_rendered(client: DICOMwebClient) -> None:
    given = client.retrieve_instance_frames_rendered(*PACKED, frame_numbers=[2], media_types=("image/png",))
    assert np.array_equal(_pixels(given), _sent(PACKED).pixel_array[1])


def test_retrieve_series_rendered(client: DICOMwebClient) -> None:
    assert _pixels(client.retrieve_series_rendered(*PLAIN[:2], media_types=("image/jpeg",))).shape == (24, 32)


def test_a_jpeg_of_a_device_comes_byte_for_byte(client: DICOMwebClient, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (24, 32), dtype=np.uint8)).save(out, "JPEG")
    jpeg = out.getvalue() + b"\0" * (len(out.getvalue()) % 2)
    uids = ("1.7", "1.7.1", "1.7.1.1")
    made = _clip(uids, NumberOfFrames=1, PixelData=pydicom.encaps.encapsulate([jpeg]))
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    client.store_instances([pydicom.dcmread(io.BytesIO(encoded(made, syntax=JPEGBaseline8Bit)))])
    kind = (("image/jpeg", JPEGBaseline8Bit),)
    assert client.retrieve_instance_frames(*uids, frame_numbers=[1], media_types=kind) == [jpeg]


def test_a_body_in_chunks_is_stored(site: Site) -> None:
    data = encoded(_clip(("1.9", "1.9.1", "1.9.1.1")))
    chunks = (data[at : at + 700] for at in range(0, len(data), 700))
    headers = {"Authorization": f"Token {site.token}", "Content-Type": "application/dicom"}
    url = f"http://127.0.0.1:{site.port}/dicom-web/studies"
    assert requests.post(url, data=chunks, headers=headers, timeout=30).status_code == 200


def test_delete(site: Site, client: DICOMwebClient) -> None:
    boss = _client(site, site._manage("shell", "--no-imports", "-c", MAKE_TOKEN).split()[-1])
    uids = [("1.8", f"1.8.{series}", f"1.8.{series}.{number}") for series in (1, 2, 3) for number in (1, 2)]
    client.store_instances([pydicom.dcmread(io.BytesIO(encoded(_clip(each)))) for each in uids])
    with pytest.raises(requests.HTTPError, match="403"):
        client.delete_instance(*uids[0])
    boss.delete_instance(*uids[0])
    with pytest.raises(requests.HTTPError, match="404"):
        client.retrieve_instance(*uids[0])
    boss.delete_series(*uids[2][:2])
    assert len(client.search_for_instances("1.8")) == 3
    boss.delete_study("1.8")
    assert client.search_for_studies(search_filters={"StudyInstanceUID": "1.8"}) == []
