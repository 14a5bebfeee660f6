"""Reference lines and centile tables: what is loaded, what is refused and said, and the measures beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from annotations.measurements import reference_ranges
from annotations.models import ReadRevision
from studies.models import Study
from tests.annotations import factories
from tests.annotations.measurements.test_drawings import REGION, drawing

# Round numbers that nobody could take for a published table.
TABLE = {"measure": "vi", "source": "a test", "by": "day_of_life", "centiles": [3, 97], "rows": [[0, 1, 2], [9, 3, 4]]}


def test_every_line_that_comes_with_us_names_its_source() -> None:
    assert reference_ranges.LINES
    assert all(line["source"] and ("from" in line) != ("range" in line) for line in reference_ranges.LINES)


def test_no_centile_table_comes_with_us() -> None:
    assert reference_ranges.load(None) == ([], [])


def test_a_table_is_loaded_and_one_that_is_wrong_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(TABLE))
    (tmp_path / "bad.json").write_text("{")
    tables, problems = reference_ranges.load(tmp_path)
    assert [table["file"] for table in tables] == ["good.json"]
    assert problems == [{"file": "bad.json", "reason": "It cannot be read as JSON."}]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"measure": "bpd"}, "measure"),
        ({"source": " "}, "source"),
        ({"by": "weight"}, "is by one of"),
        ({"centiles": [0]}, "centiles"),
        ({"rows": [[0, 1, 2]]}, "rows"),
        ({"rows": [[0, 1, 2], [1, 2]]}, "Row 2"),
        ({"rows": [[5, 1, 2], [5, 1, 2]]}, "ages do not rise"),
        ({"rows": [[5, 1, 2], [6, 3, 2]]}, "In row 2 p97 lies below p3"),
        ({"centiles": [97, 3]}, "In row 1 p97 lies below p3"),
        ({"centiles": [3, 3]}, "one centile twice"),
        ({"rows": [[5, -1, 2], [6, 3, 4]]}, "Row 1 holds a number below 0"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(reference_ranges.BadTable, match=said):
        reference_ranges.table({**TABLE, **wrong})


def test_curves_may_touch_and_stand_in_any_order() -> None:
    assert reference_ranges.table({**TABLE, "centiles": [97, 3], "rows": [[0, 2, 2], [9, 4, 3]]})["rows"][0] == [
        0,
        2,
        2,
    ]


def test_a_table_whose_curves_cross_is_left_out_and_said(tmp_path: Path) -> None:
    crossing = {**TABLE, "centiles": [50, 97], "rows": [[10, 3, 2], [15, 2, 3]]}
    (tmp_path / "crossing.json").write_text(json.dumps(crossing))
    reason = "In row 1 p97 lies below p50: its curves cross."
    assert reference_ranges.load(tmp_path) == ([], [{"file": "crossing.json", "reason": reason}])


@pytest.mark.django_db
def test_measures_of_the_infant_come_with_the_timeline_and_this_studys_only_after_the_commit(
    client: Client, reader: User, study: Study
) -> None:
    study.clips.update(regions=[REGION])
    sop = study.clips.values_list("sop_uid", flat=True)[0]
    measure = drawing(sop_uid=sop, preset="ahw", side="left")
    factories.read(study, right=0, left=1, drawings=[measure, drawing(uid="d2", sop_uid=sop)])
    client.force_login(reader)
    address = f"/api/v1/studies/{study.uid}/timeline/"
    assert client.get(address).json()["studies"][0]["read"] is None
    factories.read(study, reader, right=0, left=1, drawings=[measure])
    (told,) = client.get(address).json()["studies"][0]["read"]["measures"]
    assert (told["preset"], told["side"], told["measured"]["value"]) == ("ahw", "left", 20.0)
    assert ReadRevision.objects.count() == 2
