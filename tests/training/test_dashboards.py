"""The figures of the metrics page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.roles import Role
from inference.models import ModelVersion
from tests.accounts.people import client_of, person
from tests.inference.factories import close, study, work
from training.dashboards import DAYS, delays, metrics, per_day

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


def test_days_without_anything_are_shown_as_zero() -> None:
    now = timezone.now()
    days = per_day([now, now, now - timedelta(days=2)], now=now)
    assert len(days) == DAYS
    assert [day["count"] for day in days[-3:]] == [1, 0, 2]


def test_delays_give_median_p95_and_bars_that_hold_everything() -> None:
    found = delays([1.0, 12.0, 14.0, 70.0, 4000.0])
    assert (found["median"], found["n"]) == (14.0, 5)
    assert sum(bar["count"] for bar in found["histogram"]) == 5


@pytest.mark.parametrize(("seconds", "p95"), [([], None), ([3.0], 3.0)])
def test_few_delays_break_nothing(seconds: list[float], p95: float | None) -> None:
    assert delays(seconds)["p95"] == p95


def test_a_champion_without_a_report_shows_what_its_manifest_achieved(model: ModelVersion) -> None:
    champion = metrics()["champion"]
    assert champion is not None
    sensitivity = champion["report"]["operating_points"]["target_0.90"]["sensitivity"]
    assert (sensitivity["pooled"], sensitivity["interval"]) == (0.92, [0.82, 0.97])


def test_scores_are_counted_and_timed(model: ModelVersion) -> None:
    close(study())
    work()
    found = metrics()
    assert (found["scores_per_day"][-1]["count"], found["last_image_to_flag"]["n"]) == (1, 1)


def test_without_a_model_the_figures_are_empty_and_not_an_error() -> None:
    assert metrics()["champion"] is None


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ADMIN, 200), (Role.RADIOLOGIST, 200), (Role.ANNOTATOR, 403), (Role.ADJUDICATOR, 403)]
)
@pytest.mark.parametrize("url", ["/metrics/", "/api/v1/metrics/"])
def test_metrics_are_for_admins_and_radiologists(role: Role, status: int, url: str) -> None:
    assert client_of(person(role)).get(url).status_code == status


def test_looking_at_a_page_leaves_an_audit_entry() -> None:
    admin: Any = person(Role.ADMIN)
    client = client_of(admin)
    client.get("/metrics/")
    client.get("/training/")
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "metrics.viewed",
        "training.viewed",
    ]
