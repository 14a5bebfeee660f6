"""The walk, on the site of a newcomer and on that of a hospital."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.walk import Walk
from tests.services.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(1500)]


def test_the_main_job_end_to_end(site: Stack, browser: Browser, tmp_path: Path) -> None:
    site.manage("demo", "--feed", "--unread", 0, "--queue", 3, "--history", 26)
    walk = Walk(site, browser, tmp_path)
    walk.examinations_arrive_and_the_list_reorders_itself()
    walk.a_study_opens_with_its_pixels_and_plays()
    walk.two_keys_commit_and_only_then_the_attention_is_there()
    walk.enter_opens_the_next()
    walk.an_annotator_labels_two_blinded()
    walk.an_admin_retrains_and_sees_the_figures()
    walk.the_challenger_is_promoted_and_scores_again()
    walk.the_metrics_show_the_champion()
    walk.nothing_broke()
