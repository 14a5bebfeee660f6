"""Where labels come from: every commit with what its reader knew, and the label that they make."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from accounts.roles import Role
from annotations.label_schema import versions
from annotations.models import Context
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories
from tests.annotations.requests import Desk

pytestmark = pytest.mark.django_db


def test_a_read_knows_how_it_came_about_and_its_label_knows_the_read(study: Study) -> None:
    factories.scored(study)
    seen = [{"sop_uid": study.clips.get().sop_uid, "frames": 4, "ms": 2500}]
    device = {"screen": "1440x900", "window": "1200x800", "pixel_ratio": 2}
    Desk(person(), study).commit({"right": 3, "left": 0}, seen=seen, duration_ms=9000, device=device)
    told = client_of(person(Role.ADMIN)).get(f"/api/v1/studies/{study.uid}/history/").json()
    (commit,) = told["reads"][0]["revisions"]
    assert (commit["schema"], commit["definition"], commit["positive"]) == ("papile-2", "positive-1", True)
    assert (commit["flag_seen"], commit["clips_seen"], commit["seen_seconds"]) == ("suspected", 1, 2)
    assert commit["device"].startswith("screen 1440x900, window 1200x800")
    assert ["Right", "III"] in commit["said"]
    assert (told["label"]["reads"], told["label"]["rule"], commit["counts"]) == ([commit["id"]], "reading_room", True)


def test_history_grows_and_shows_old_answers_in_their_own_words(study: Study) -> None:
    versions.put_in_force("papile-1", "positive-1")
    desk = Desk(person(), study)
    desk.commit({"right": 2, "left": 0, "pvl": True})
    desk.post("reopen")
    versions.put_in_force("volpe-1", "positive-1")
    desk.commit({"right": 1, "left": 0}, version=1, key="two")
    page = client_of(person(Role.ADMIN)).get(f"/studies/{study.uid}/history/").content.decode()
    assert "Cystic PVL <b>yes</b>" in page
    assert page.index("papile-1") < page.index("volpe-1")
    assert AuditEntry.objects.filter(action="labels.history_viewed", study_uid=study.uid).count() == 1


def test_an_admin_who_has_yet_to_label_the_study_sees_nothing_of_it_anywhere(study: Study) -> None:
    admin = person(Role.ADMIN)
    factories.queue(study, readers=[admin, other := person(Role.ANNOTATOR)])
    factories.read(study, other, context=Context.QUEUE, right=3)
    client = client_of(admin)
    history, export = f"/api/v1/studies/{study.uid}/history/", "/api/v1/labels/export/?form=json"
    before = client.get(history).json(), client.get(export).json()
    assert (before[0]["reads"], before[0]["hidden"] != "", before[1]["reads"]) == ([], True, [])
    assert "III" not in client.get(f"/studies/{study.uid}/history/").content.decode()
    factories.read(study, admin, context=Context.QUEUE, right=2)
    assert len(client.get(history).json()["reads"]) == len(client.get(export).json()["reads"]) == 2


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ANNOTATOR, Role.ADJUDICATOR])
def test_nobody_who_reads_sees_what_others_said(study: Study, role: Role) -> None:
    factories.read(study, right=3)
    assert client_of(person(role)).get(f"/api/v1/studies/{study.uid}/history/").status_code == 403
