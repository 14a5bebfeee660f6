"""The main job as three people do it, step by step. Each step asserts what its person would see."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.page_probes import Visit
from tests.services import phantoms
from tests.services.stack import Stack, wait_until
from training.phantom.examination import PhantomExam

SCORED_MS = 400_000
ROW_MOVES_MS = 5_000
expect.set_options(timeout=30_000)
CHAMPION_SCORES = (
    "SELECT count(*) FROM inference_score x JOIN inference_modelversion m ON m.id = x.model_id "
    "WHERE m.state = 'champion'"
)


class Walk:
    """One walk through one site."""

    def __init__(self, site: Stack, browser: Browser, folder: Path) -> None:
        self.site = site
        self.browser = browser
        self.folder = folder
        self.kind = "distributed" if len(site.urls) > 1 else "embedded"
        self.radiologist = self._visit("radiologist", site.urls[0])

    def _visit(self, username: str, url: str) -> Visit:
        visit = Visit(self.browser, url, name=f"{self.kind}-{username}")
        visit.page.goto("/")
        visit.check_accessible("sign-in")
        visit.sign_in(username)
        return visit

    def _ingest(self, study: PhantomExam) -> str:
        self.site.manage("ingest", *phantoms.files(study, self.folder))
        return study.study_uid

    # ---------- the radiologist ----------

    def examinations_arrive_and_the_list_reorders_itself(self) -> None:
        """The list is open while a negative and then a positive study come in; nobody reloads the page."""
        page = self.radiologist.page
        expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=20_000)
        page.evaluate("window.stayed = true")
        self.negative = self._ingest(phantoms.copied(phantoms.drawn(0), clips=2))
        expect(self._row(self.negative)).to_contain_text("Not suspected", timeout=SCORED_MS)
        self.positive = self._ingest(phantoms.copied(phantoms.drawn(1, grades=(4, 4))))
        expect(self._row(self.positive)).to_contain_text(re.compile(r"^Suspected"), timeout=SCORED_MS)
        wait_until(self._positive_is_above, seconds=ROW_MOVES_MS / 1000, what="the suspected study rises")
        assert page.evaluate("window.stayed") is True
        self.radiologist.check_accessible("worklist")

    def _row(self, uid: str) -> Any:
        return self.radiologist.page.locator(f"tr[data-uid='{uid}']")

    def _order(self) -> list[str]:
        rows = self.radiologist.page.locator("tr[data-uid]")
        return [str(uid) for uid in rows.evaluate_all("rows => rows.map(row => row.dataset.uid)")]

    def _positive_is_above(self) -> bool:
        order = self._order()
        return order.index(self.positive) < order.index(self.negative)

    def a_study_opens_with_its_pixels_and_plays(self) -> None:
        page = self.radiologist.page
        self.before_commit = len(self.radiologist.answers)
        self._row(self.positive).get_by_role("link").click()
        page.wait_for_url(f"**/studies/{self.positive}/")
        page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
        wait_until(self.radiologist.sees_an_image, seconds=20, what="pixels of the first image")
        pane = page.locator("[data-pane='left']")
        first = pane.get_attribute("data-frame")
        page.keyboard.press("Space")
        expect(pane).to_have_attribute("data-playing", "true")
        expect(pane).not_to_have_attribute("data-frame", str(first), timeout=10_000)
        page.keyboard.press("Space")
        self.radiologist.check_accessible("reading-room")

    def two_keys_commit_and_only_then_the_attention_is_there(self) -> None:
        page = self.radiologist.page
        assert self._attention_since(self.before_commit) == []
        expect(page.get_by_text("Attention per frame")).to_have_count(0)
        page.keyboard.press("0")
        commit(page)
        expect(page.locator("[data-reveal]")).to_be_visible(timeout=20_000)
        expect(page.get_by_text("Attention per frame").first).to_be_visible()
        assert self._attention_since(self.before_commit) != []
        self.radiologist.check_accessible("after-commit")

    def _attention_since(self, start: int) -> list[str]:
        return [url for url, body in self.radiologist.answers[start:] if re.search(r'"attention":\s*\[\{', body)]

    def enter_opens_the_next(self) -> None:
        page = self.radiologist.page
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/studies/{self.negative}/", timeout=20_000)
        page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
        assert self.site.rows(f"SELECT status FROM studies_study WHERE uid = '{self.positive}'") == [("read",)]

    # ---------- the annotator ----------

    def an_annotator_labels_two_blinded(self) -> None:
        self.annotator = visit = self._visit("annotator", self.site.urls[-1])
        visit.page.goto("/label/")
        for number in (1, 2):
            visit.page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
            expect(visit.page.locator("[data-progress]")).to_contain_text(f"{number} of")
            if number == 1:
                visit.check_accessible("label-queue")
            visit.page.keyboard.press("0")
            commit(visit.page)
        expect(visit.page.locator("[data-progress]")).to_contain_text("3 of", timeout=20_000)
        assert visit.ai_words() == []
        visit.page.goto("/")
        assert visit.ai_words() == []
        assert self.radiologist.ai_words() != [], "the test would not have seen it"

    # ---------- the admin ----------

    def an_admin_retrains_and_sees_the_figures(self) -> None:
        self.admin = self._visit("admin", self.site.urls[-1])
        page = self.admin.page
        page.goto("/training/")
        page.locator("#retrain").click()
        expect(page.locator("#start")).to_be_enabled()
        self.admin.check_accessible("training")
        page.locator("#start").click()
        page.wait_for_url(re.compile(r"/training/\d+/"))
        expect(page.locator("#folds, #result").first).to_be_visible()
        self._progress_moves(page)
        expect(page.locator("#result")).to_contain_text("AUROC", timeout=600_000)
        for figure in ("PR-AUC", "Sensitivity", "Specificity"):
            expect(page.locator("#result")).to_contain_text(re.compile(figure, re.I))
        assert page.locator("#result svg path, #result svg polyline").count() >= 2, "no curves"
        self.admin.check_accessible("training-run")

    def _progress_moves(self, page: Page) -> None:
        bar = page.get_by_role("progressbar", name="Whole run")
        expect(bar).to_be_visible(timeout=60_000)
        wait_until(lambda: float(bar.get_attribute("value") or 0) > 0, seconds=300, what="the run's progress moves")

    def the_challenger_is_promoted_and_scores_again(self) -> None:
        page = self.admin.page
        page.locator("#promote").click()
        page.get_by_label(re.compile("Reason")).fill("The walk's own challenger")
        page.get_by_role("dialog").get_by_role("button", name="Promote").click()
        expect(page.get_by_text("triages now").first).to_be_visible(timeout=20_000)
        wait_until(lambda: self.site.rows(CHAMPION_SCORES)[0][0] >= 2, seconds=180, what="studies scored again")

    def the_metrics_show_the_champion(self) -> None:
        page = self.admin.page
        page.goto("/metrics/")
        expect(page.get_by_text(re.compile("AUROC")).first).to_be_visible(timeout=20_000)
        self.admin.check_accessible("metrics")
        page.goto("/audit/")
        expect(page.locator("#main")).to_contain_text("study.viewed")
        self.admin.check_accessible("audit")

    def nothing_broke(self) -> None:
        for visit in (self.radiologist, self.annotator, self.admin):
            visit.check_nothing_broke()


def commit(page: Page) -> None:
    """Enter; and once more if the page asks because not every clip was opened."""
    page.keyboard.press("Enter")
    page.wait_for_timeout(150)
    if page.locator("[data-question]").count():
        page.keyboard.press("Enter")
