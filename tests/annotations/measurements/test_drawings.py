"""Drawings of a read: what is taken, what is named as wrong, and the numbers that the server puts beside them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from annotations.label_schema import schema
from annotations.models import ReadRevision
from studies.models import Study
from tests.annotations import factories
from tests.annotations.label_schema.test_schema import PAPILE

pytestmark = pytest.mark.django_db
REGION = {"x0": 0, "y0": 0, "x1": 399, "y1": 299, "dx_cm": 0.02, "dy_cm": 0.03, "type": "2d", "inside": True}


def drawing(**facts: Any) -> dict[str, Any]:
    default = {"uid": "d1", "tool": "length", "sop_uid": "1.2", "frame": 1, "points": [[10, 10], [110, 10]]}
    return {**default, "label": "", "preset": "", "side": "", **facts}


@pytest.fixture
def sop(study: Study) -> str:
    study.clips.update(regions=[REGION])
    clip = study.clips.first()
    assert clip is not None
    return clip.sop_uid


def _commit(client: Client, user: User, study: Study, *drawings: Any) -> tuple[int, Any]:
    client.force_login(user)
    findings = {**factories.NEGATIVE, "drawings": list(drawings)}
    body = {"findings": findings, "version": 0, "idempotency_key": "k"}
    answer = client.post(f"/api/v1/studies/{study.uid}/reads/commit/", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_committed_drawing_has_the_servers_number_beside_it(
    client: Client, reader: User, study: Study, sop: str
) -> None:
    lie = drawing(sop_uid=sop, measured={"value": 99, "unit": "mm"})
    assert _commit(client, reader, study, lie)[0] in (200, 201)
    (kept,) = ReadRevision.objects.get().findings["drawings"]
    assert (kept["measured"]["value"], kept["measured"]["unit"]) == (20.0, "mm")


def test_an_uncalibrated_drawing_is_kept_with_its_reason(client: Client, reader: User, study: Study, sop: str) -> None:
    _commit(client, reader, study, drawing(sop_uid=sop, points=[[10, 10], [500, 10]]))
    (kept,) = ReadRevision.objects.get().findings["drawings"]
    assert kept["points"] == [[10, 10], [500, 10]]
    assert kept["measured"]["value"] is None
    assert kept["measured"]["reason"].startswith("uncalibrated: a point lies outside")


def test_a_drawing_on_no_frame_of_this_study_is_refused_and_named(
    client: Client, reader: User, study: Study, sop: str
) -> None:
    status, told = _commit(client, reader, study, drawing(sop_uid=sop), drawing(uid="d2", sop_uid=sop, frame=11))
    assert status == 400
    assert "drawings.1.frame" in str(told)
    assert not ReadRevision.objects.exists()


def test_a_reopened_draft_holds_points_and_no_numbers(client: Client, reader: User, study: Study, sop: str) -> None:
    _commit(client, reader, study, drawing(sop_uid=sop))
    address = f"/api/v1/studies/{study.uid}/reads/"
    client.post(f"{address}reopen/", {"context": "triage"}, content_type="application/json")
    told = client.get(address).json()["mine"]
    assert told["draft"]["findings"]["drawings"] == [drawing(sop_uid=sop)]
    assert told["revisions"][0]["findings"]["drawings"][0]["measured"]["value"] == 20.0


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        (".tool", {"tool": "ruler"}),
        (".points", {"points": [[1, 2]]}),
        (".points", {"points": [[1, 2], [3, float("inf")]]}),
        (".points", {"points": [[1, 2], [3, "4"]]}),
        (".points", {"tool": "freehand", "points": [[1, 2]] * 257}),
        (".points", {"tool": "ellipse", "points": [[0, 0], [10, 0], [5, 5], [5, 9]]}),
        (".uid", {"uid": "../x"}),
        (".frame", {"frame": 0}),
        (".frame", {"frame": True}),
        (".sop_uid", {"sop_uid": ""}),
        (".label", {"label": "x" * 201}),
        (".preset", {"preset": "bpd"}),
        (".preset", {"preset": "vi", "side": "left", "tool": "box"}),
        (".side", {"preset": "vi"}),
        (".side", {"side": "up"}),
        (".colour", {"colour": "red"}),
    ],
)
def test_what_is_wrong_is_named_by_drawing_and_field(field: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(schema.BadFindings) as refused:
        PAPILE.validate({"drawings": [drawing(), drawing(**{"uid": "d2", **wrong})]})
    assert list(refused.value.messages) == [f"drawings.1{field}"]


@pytest.mark.parametrize(
    "drawings",
    [
        7,
        [drawing()] * 2,
        [drawing(uid=f"d{at}") for at in range(201)],
        [drawing(uid=f"f{at}", tool="freehand", points=[[1, 2]] * 250) for at in range(21)],
    ],
)
def test_too_many_or_the_same_twice_are_refused(drawings: Any) -> None:
    with pytest.raises(schema.BadFindings) as refused:
        PAPILE.validate({"drawings": drawings})
    assert list(refused.value.messages) == ["drawings"]
