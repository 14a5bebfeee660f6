"""What a site's prevalence is, and that labels chosen for their score do not make it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from config.setting_values import share
from inference.models import ModelVersion
from tests.inference.factories import close, study
from tests.training.factories import cohort
from training.core.metrics import clopper_pearson
from training.dashboards import metrics
from training.preflight import preflight
from training.prevalence import site_prevalence

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", ["0", "1", "2", "-0.1", "nan", "5,8 %"])
def test_a_setting_that_is_no_share_is_refused_by_name(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"SITE_PREVALENCE is .* more than 0 and less than 1"):
        share("SITE_PREVALENCE", text)


def test_an_empty_setting_says_that_it_is_not_known() -> None:
    assert share("SITE_PREVALENCE", " ") is None
    assert share("SITE_PREVALENCE", "0.058") == 0.058


def test_the_setting_comes_first(settings: Settings) -> None:
    cohort(positive=3, negative=3)
    settings.SITE_PREVALENCE = 0.058
    found = site_prevalence(phantoms_only=True)
    assert found is not None
    assert (found["share"], found["source"], found["believed"]) == (0.058, "setting", True)


def test_reads_of_a_day_without_a_gap_estimate_it() -> None:
    cohort(positive=3, negative=9)
    found = site_prevalence(phantoms_only=True)
    assert found is not None
    assert (found["share"], found["source"], found["studies"]) == (0.25, "reads", 12)
    assert found["interval"] == pytest.approx(list(clopper_pearson(3, 12)))


def test_few_infants_with_a_bleed_are_not_believed() -> None:
    cohort(positive=9, negative=20)
    few = site_prevalence(phantoms_only=True)
    cohort(positive=1, negative=0)
    enough = site_prevalence(phantoms_only=True)
    assert few is not None
    assert enough is not None
    assert (few["believed"], enough["believed"]) == (False, True)


def test_a_day_with_an_unread_study_counts_for_nothing() -> None:
    """Whoever reads from the top of the list has read what the model suspects first."""
    cohort(positive=3, negative=1)
    close(study())
    assert site_prevalence(phantoms_only=True) is None


def test_the_preflight_says_at_what_share_probabilities_are_stated(settings: Settings) -> None:
    settings.MIN_POSITIVES_PER_FOLD = 1
    cohort(positive=5, negative=15)
    assert "stated at the share among the labels, 25.0%" in " ".join(preflight().notes)
    settings.SITE_PREVALENCE = 0.058
    assert "site's prevalence, 5.8%" in " ".join(preflight().notes)


def test_the_metrics_state_predictive_values_at_it(model: ModelVersion, settings: Settings) -> None:
    settings.SITE_PREVALENCE = 0.058
    stated: Any = metrics()["in_use"]
    assert stated["prevalence"]["share"] == 0.058
    assert stated["points"]["target_0.90"]["flagged"] == pytest.approx(0.92 * 0.058 + 0.5 * 0.942)


def test_without_a_prevalence_the_metrics_state_none(model: ModelVersion) -> None:
    assert metrics()["in_use"] is None
