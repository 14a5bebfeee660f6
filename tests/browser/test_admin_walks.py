"""What admins and adjudicators do beside reading, each walked once as a person would: one site without workers."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.annotations.factories import NEGATIVE
from tests.browser.page_probes import Visit
from tests.browser.walk import commit
from tests.services import phantoms
from tests.services.stack import PASSWORD, Stack
from tests.studies.dicoms import clip
from training.phantom.examination import PhantomExam

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.timeout(600)]
ITEM = "SELECT i.id FROM annotations_queueitem i JOIN annotations_labelqueue q ON q.id = i.queue_id WHERE q.name = '{}'"
DECIDED = (
    "SELECT json_extract(v.findings, '$.right') FROM annotations_readrevision v "
    "JOIN annotations_read r ON r.id = v.read_id WHERE r.item_id = {} AND r.context = 'adjudication'"
)
ROW = {"right": "0", "left": "0", "quality": "good"}


@pytest.fixture(scope="module")
def admin(quiet_site: Stack, browser: Browser) -> Iterator[Visit]:
    visit = Visit(browser, quiet_site.url, name="admin-walks")
    visit.sign_in("admin")
    yield visit
    visit.close()


@pytest.fixture
def page(admin: Visit) -> Iterator[Page]:
    yield admin.page
    admin.check_nothing_broke()


def _exam() -> PhantomExam:
    """An examination of a newcomer: another infant than those of other tests on this site."""
    return phantoms.of_another_infant(phantoms.copied(phantoms.drawn(0), clips=1), f"WALK-{uuid4().hex[:8]}")


def _ingest(site: Stack, exam: PhantomExam, folder: Path) -> str:
    site.manage("ingest", *phantoms.files(exam, folder))
    return exam.study_uid


# ---------- accounts ----------


def test_an_account_that_an_admin_makes_can_sign_in(
    admin: Visit, page: Page, quiet_site: Stack, browser: Browser
) -> None:
    name = f"nurse-{uuid4().hex[:6]}"
    page.goto("/admin/")
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("link", name=re.compile("Add user", re.I)).first.click()
    page.locator("#id_username").fill(name)
    page.locator("#id_password1").fill(PASSWORD)
    page.locator("#id_password2").fill(PASSWORD)
    page.locator("#id_role").select_option("annotator")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    admin.picture("accounts")
    annotator = Visit(browser, quiet_site.url, name="admin-walks-newcomer")
    annotator.sign_in(name)
    expect(annotator.page).to_have_url(re.compile(r"/label/"))
    annotator.close()


# ---------- the quarantine ----------


def test_a_conflict_is_accepted_with_keys_alone(page: Page, admin: Visit, quiet_site: Stack, tmp_path: Path) -> None:
    uid = f"1.2.826.0.1.{uuid4().int % 10**12}"
    for seed in (0, 1):
        (tmp_path / f"{seed}.dcm").write_bytes(clip(SOPInstanceUID=uid, StudyInstanceUID=f"{uid}.1", seed=seed))
        quiet_site.manage("ingest", tmp_path / f"{seed}.dcm", check=False)
    page.goto(f"/quarantine/?q={uid}")
    expect(page.get_by_text("Another file with the same SOP Instance UID")).to_be_visible()
    admin.check_accessible("quarantine")
    page.keyboard.press("a")
    expect(page.get_by_label("Why", exact=True)).to_be_focused()
    page.keyboard.type("the ward corrected it")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No file matches")).to_be_visible()
    page.goto(f"/quarantine/?state=all&q={uid}")
    expect(page.get_by_text("the ward corrected it")).to_be_visible()
    expect(page.get_by_role("cell", name="earlier picture", exact=True)).to_be_visible()


# ---------- upload ----------


def test_an_upload_says_of_each_file_what_became_of_it(admin: Visit, page: Page, tmp_path: Path) -> None:
    exam = _exam()
    letter = tmp_path / "letter.dcm"
    letter.write_text("Dear colleague")
    page.goto("/upload/")
    page.locator("#files").set_input_files([*phantoms.files(exam, tmp_path), letter])
    expect(page.locator("#tally")).to_contain_text("1 stored")
    expect(page.locator("#tally")).to_contain_text("1 refused")
    expect(page.locator("#upload-rows tr").first).to_contain_text(re.compile(r"letter\.dcm.*Refused: \w+"))
    admin.check_accessible("upload")
    page.locator("#studies").get_by_role("link").click()
    page.wait_for_url(f"**/studies/{exam.study_uid}/")


# ---------- patients ----------


def test_two_infants_are_merged_and_parted_again(admin: Visit, page: Page, quiet_site: Stack, tmp_path: Path) -> None:
    one, other = _exam(), _exam()
    for exam in (one, other):
        _ingest(quiet_site, exam, tmp_path)
    page.goto(f"/studies/{one.study_uid}/")
    page.locator("a[href^='/patients/']").first.click()
    expect(page.locator("#study-count")).to_have_text("1 study")
    page.get_by_label("The same infant as").fill(other.plan.patient_id)
    page.get_by_role("button", name="Merge into it").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.locator("#patient-title")).to_have_text(other.plan.patient_id)
    expect(page.locator("#study-count")).to_have_text("2 studies")
    expect(page.locator("#patient-summary")).to_contain_text(one.plan.patient_id)
    admin.check_accessible("patient-merged")
    page.locator("#study-rows tr", has_text=f"sent as {one.plan.patient_id}").get_by_role("checkbox").check()
    page.get_by_role("button", name="Split the selected studies off").click()
    page.get_by_role("dialog").get_by_role("button", name="Split").click()
    expect(page.locator("#study-count")).to_have_text("1 study")
    expect(page.locator("#split-note")).to_contain_text(one.plan.patient_id)


# ---------- label queues ----------


def test_a_queue_made_from_a_list_reaches_its_reader(
    admin: Visit, page: Page, quiet_site: Stack, browser: Browser, tmp_path: Path
) -> None:
    uids = [_ingest(quiet_site, _exam(), tmp_path) for _ in range(2)]
    name = f"Walk {uuid4().hex[:6]}"
    page.goto("/label/queues/new/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Readers per study").fill("1")
    page.locator("input[name=reader][value=annotator2]").check()
    page.get_by_role("radio", name="A list").check()
    page.locator("#uids").fill("\n".join([*uids, "1.2.3.4"]))
    expect(page.get_by_text("1.2.3.4").last).to_be_visible()
    page.locator("#leave-out").check()
    admin.check_accessible("queue-new")
    page.get_by_role("button", name="Make the queue").click()
    page.wait_for_url(re.compile(r"/label/queues/\d+/"))
    expect(page.locator("#main")).to_contain_text("0 of 2 reads")
    admin.check_accessible("queue")
    reader = Visit(browser, quiet_site.url, name="admin-walks-reader")
    reader.sign_in("annotator2")
    expect(reader.page.locator("[data-progress]")).to_contain_text("1 of 2")
    assert reader.ai_words() == []
    reader.close()


# ---------- labels in ----------


def _sheet(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["study_uid", *ROW])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_labels_from_a_sheet_are_tried_before_they_count(
    admin: Visit, page: Page, quiet_site: Stack, tmp_path: Path
) -> None:
    uid = _ingest(quiet_site, _exam(), tmp_path)
    rows = [{"study_uid": uid, **ROW}, {"study_uid": "1.2.3.4", **ROW}]
    reads = f"SELECT count(*) FROM annotations_read r JOIN studies_study s ON s.id = r.study_id WHERE s.uid = '{uid}'"
    page.goto("/labels/")
    page.locator("#labels-file").set_input_files(_sheet(tmp_path / "labels.csv", rows))
    report = page.locator("#labels-report")
    expect(report).to_contain_text("nothing was changed yet")
    expect(report.locator("tr", has_text="1.2.3.4").locator(".bad")).to_be_visible()
    assert quiet_site.rows(reads) == [(0,)]
    admin.check_accessible("labels-trial")
    report.get_by_role("button", name="Take in 1 row").click()
    expect(report).to_contain_text("was taken in")
    assert quiet_site.rows(reads) == [(1,)]


# ---------- the label schema ----------


def test_a_new_version_of_the_schema_is_added_and_its_faults_are_named(admin: Visit, page: Page) -> None:
    page.goto("/schema/")
    text = page.locator("#schema-json")
    whole = text.input_value()
    judged = page.locator("[data-judged]").first
    text.fill(whole[:-2])
    expect(judged).to_contain_text("This is no JSON yet")
    text.fill(re.sub(r'"title": "[^"]+"', '"title": "Papile, the walk\'s"', whole, count=1))
    expect(judged).to_contain_text("Fine. It would be")
    admin.check_accessible("schema")
    page.get_by_role("button", name=re.compile("^Add as ")).first.click()
    page.get_by_label("What is new").fill("Another title")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(judged).to_contain_text("was added. It is not in force yet.")
    expect(page.get_by_role("region", name="All, schema")).to_contain_text("Papile, the walk's")


# ---------- adjudication ----------


def _answer(site: Stack, username: str, uid: str, item: int, right: int) -> None:
    """One reader's committed answer by the API, as the label page sends it."""
    person = site.sign_in(username)
    body = {"item": item, "context": "queue", "findings": {**NEGATIVE, "right": right}, "comment": "", "version": 0}
    body |= {"idempotency_key": uuid4().hex, "confirmed": True}
    answer = person.call("POST", f"/api/v1/studies/{uid}/reads/commit/", json=body)
    assert answer.status_code in (200, 201), answer.text


def test_an_adjudicator_decides_between_two_readers(quiet_site: Stack, browser: Browser, tmp_path: Path) -> None:
    uid, name = _ingest(quiet_site, _exam(), tmp_path), f"Two readers {uuid4().hex[:6]}"
    people = ("--reader", "annotator", "--reader", "annotator2")
    quiet_site.manage("make_queue", name, "--study", uid, "--readers", 2, *people)
    ((item,),) = quiet_site.rows(ITEM.format(name))
    _answer(quiet_site, "annotator", uid, item, 0)
    _answer(quiet_site, "annotator2", uid, item, 3)
    visit = Visit(browser, quiet_site.url, name="admin-walks-adjudicator")
    visit.sign_in("adjudicator")
    visit.page.goto(f"/adjudicate/{item}/")
    visit.page.locator("html[data-viewer-ready='true']").wait_for(timeout=30_000)
    panel = visit.page.locator("[data-judge]")
    expect(panel).to_contain_text("different")
    visit.check_accessible("adjudicate")
    panel.get_by_role("button", name="Reader 2").click()
    commit(visit.page)
    expect(visit.page.locator("[data-reveal], .empty").first).to_be_visible()
    assert quiet_site.rows(DECIDED.format(item)) == [(3,)]
    visit.check_nothing_broke()
    visit.close()
