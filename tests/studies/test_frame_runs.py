"""Several frames in one answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from studies.models import Clip

pytestmark = pytest.mark.django_db
Stored = Callable[..., Clip]


def _url(clip: Clip, run: str) -> str:
    return f"/api/v1/studies/{clip.study.uid}/clips/{clip.sop_uid}/frames/{run}/"


def _unpacked(body: bytes) -> dict[int, bytes]:
    length = int.from_bytes(body[:4], "big")
    frames, at = {}, 4 + length
    for entry in json.loads(body[4:at]):
        frames[entry["frame"]] = body[at : at + entry["size"]]
        at += entry["size"]
    assert at == len(body)
    return frames


def test_a_run_is_the_frames_one_by_one(reader: Client, stored: Stored) -> None:
    clip = stored(frames=4)
    run = _unpacked(reader.get(_url(clip, "2-4")).content)
    assert run == {number: reader.get(_url(clip, str(number))).content for number in (2, 3, 4)}


def test_a_run_over_the_end_of_a_file_that_is_cut_is_the_frames_that_are_whole(reader: Client, stored: Stored) -> None:
    clip = stored(frames=4, PixelData=bytes(24 * 32 * 5 // 2))
    assert list(_unpacked(reader.get(_url(clip, "1-4")).content)) == [1, 2]
    missing = reader.get(_url(clip, "3"))
    assert (missing.status_code, missing.json()["code"]) == (422, "undecodable")
    assert "2 of 4 frames are whole" in missing.json()["detail"]


def test_a_run_leaves_one_entry_with_its_frames(reader: Client, stored: Stored) -> None:
    clip = stored(frames=3)
    reader.get(_url(clip, "1-3"))
    (entry,) = AuditEntry.objects.filter(action="frames.viewed")
    assert (entry.detail["frames"], entry.study_uid) == ([1, 3], clip.study.uid)
    reader.get(_url(clip, "1-3"), headers={"X-Fontanelle-Ahead": "1"})
    assert AuditEntry.objects.filter(action="frames.prefetched").count() == 1


@pytest.mark.parametrize("run", ["0-2", "3-2", "1-9", "2-99999"])
def test_a_run_outside_the_clip_is_refused(reader: Client, stored: Stored, run: str) -> None:
    assert reader.get(_url(stored(frames=3), run)).status_code == 404


def test_who_may_not_see_the_study_gets_no_frames(client: Client, annotator: User, stored: Stored) -> None:
    client.force_login(annotator)
    assert client.get(_url(stored(frames=3), "1-3")).status_code == 404
