"""Making queues: from a filter, a list, a strategy; gold studies, repeats, shuffling, trainees, deadlines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.models import Context, LabelQueue, QueueItem
from annotations.queues import assignment, sampling_strategies
from annotations.queues.picks import Pick
from annotations.reads.lifecycle import Place
from studies.models import Study
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db
URL = "/api/v1/queues/"
LISTED: dict[str, Any] = {"name": "Q", "source": "list", "shuffled": False}


def asked(url: str = URL, **body: Any) -> Any:
    return client_of(person(Role.ADMIN)).post(url, {"name": "Q", "source": "filter", **body}, "application/json")


def made(**body: Any) -> LabelQueue:
    answer = asked(**body)
    assert answer.status_code == 201, answer.json()
    return LabelQueue.objects.get(pk=answer.json()["id"])


def listed(*studies: Study, **body: Any) -> LabelQueue:
    return made(**LISTED, uids="\n".join(study.uid for study in studies), **body)


def held(queue: LabelQueue) -> list[Study]:
    return [item.study for item in queue.items.all()]


def commit(user: User, item: QueueItem | None, **said: Any) -> None:
    assert item is not None
    factories.commit_at(Place(item.study, user, Context.QUEUE, item), said)


# ---------- which studies ----------


def test_a_filter_takes_what_passes_it_and_leaves_the_rest() -> None:
    young = factories.study(of=factories.patient(gestational_age_days=26 * 7))
    factories.study(of=factories.patient(gestational_age_days=33 * 7))
    factories.study()
    assert held(made(filter={"weeks_from": 24, "weeks_to": 26})) == [young]


def test_a_filter_by_words_finds_a_name_in_any_case() -> None:
    named = factories.study(of=factories.patient(name="MÜSTER^ZOÉ"), description="Schädel")
    factories.study(description="Schädel")
    assert held(made(filter={"words": "müster SCHÄDEL"})) == [named]


def test_a_filter_by_device_and_reads() -> None:
    scanned, read, again = (factories.study(clips=0) for _ in range(3))
    for study in (scanned, read, again):
        factories.clip(study, device="Voluson E10")
    factories.read(read)
    for _ in range(2):
        factories.read(again)
    factories.study()
    assert held(made(filter={"device": "voluson", "labelled": "nobody"})) == [scanned]
    assert held(made(filter={"device": "voluson", "labelled": "once"})) == [read]


def test_what_an_active_queue_holds_is_taken_only_when_asked_for(study: Study) -> None:
    factories.queue(study)
    assert asked(filter={}).json()["code"] == "bad_choice"
    assert held(made(filter={"queued": True})) == [study]


def test_a_share_of_a_filter_is_drawn_by_the_seed() -> None:
    for _ in range(20):
        factories.study()
    ask = {"filter": {"queued": True}, "count": 5, "shuffled": False}
    first, same, other = made(**ask, seed=1), made(**ask, seed=1), made(**ask, seed=2)
    assert held(first) == held(same) != held(other)


def test_a_list_keeps_its_order() -> None:
    studies = [factories.study() for _ in range(3)]
    assert held(listed(*reversed(studies))) == studies[::-1]


LINES = [
    ("no-uid", "digits and dots"),
    ("1.2.3.999", "No study with pictures"),
    ('=HYPERLINK("x")', "formula"),
    ("{uid}", "Line 2 names the same"),
]


@pytest.mark.parametrize(("line", "reason"), LINES)
def test_a_line_that_names_no_study_is_said_and_nothing_is_made(study: Study, line: str, reason: str) -> None:
    text = f"study_uid\n{study.uid}\n{line.format(uid=study.uid)}"
    refused = asked(**LISTED, uids=text)
    assert (refused.status_code, refused.json()["code"]) == (400, "refused")
    assert [found["line"] for found in refused.json()["refused"]] == [3]
    assert reason in refused.json()["refused"][0]["reason"]
    assert held(made(**LISTED, uids=text, leave_out=True)) == [study]


def test_a_sheet_is_cut_only_where_its_lines_end(study: Study) -> None:
    text = f"comment,study_uid\r\nfirst\u2028second\x85third,{study.uid}\r\n"
    assert held(made(**LISTED, uids=text)) == [study]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2", "1.2\ufffd", "1.2.3\n" * 100_001], ids=["empty", "column", "enc", "long"]
)
def test_a_list_that_makes_no_sense_as_a_whole_says_why(text: str) -> None:
    answer = asked(**LISTED, uids=text)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_choice")
    assert not LabelQueue.objects.exists()


def test_a_strategy_chooses_and_its_whole_reason_stays_hidden(
    monkeypatch: pytest.MonkeyPatch, study: Study, annotator: User
) -> None:
    pick = Pick(study.pk, why="drawn", reason="near the threshold")
    monkeypatch.setattr(sampling_strategies, "picks", lambda *_: [pick])
    item = made(source="strategy", strategy="t", count=1).items.get()
    assert (item.study, item.why, item.reason) == (study, "drawn", "near the threshold")
    page = client_of(annotator).get(f"/label/{item.pk}/").content.decode()
    assert ("drawn" in page, "threshold" in page) == (True, False)


def test_a_strategy_that_is_not_there_is_refused(study: Study) -> None:
    assert "There is no strategy" in asked(source="strategy", strategy="none", count=1).json()["detail"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"why": "AI suspected a bleed"}, "why"),
    ({"deadline": "2020-01-01T00:00:00Z"}, "deadline"),
    ({"readers": ["nobody-here"]}, "readers"),
    ({"rule": "majority", "readers_per_study": 2}, "rule"),
    ({"filter": {"weeks_from": 30, "weeks_to": 25}}, "filter"),
    ({"source": "strategy", "strategy": "x"}, "count"),
]


@pytest.mark.parametrize(("body", "field"), BAD, ids=[field for _, field in BAD])
def test_each_wrong_field_has_its_sentence(study: Study, body: dict[str, Any], field: str) -> None:
    answer = asked(**body)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_preview_counts_and_makes_nothing(study: Study) -> None:
    person(Role.ANNOTATOR)
    told = asked(f"{URL}preview/").json()
    assert (told["studies"], told["patients"], told["readers"], told["reads"]) == (1, 1, 1, 2)
    assert not LabelQueue.objects.exists()


def test_making_a_queue_is_on_record(study: Study) -> None:
    queue = made(name="October")
    entry = AuditEntry.objects.get(action="label_queue.made")
    assert (entry.detail["queue"], entry.detail["studies"], queue.created_by) == (queue.pk, 1, entry.user)


# ---------- order ----------


def order_of(user: User, queue: LabelQueue) -> list[int]:
    return [item.pk for item in assignment._in_turn(user, queue)]


def test_each_reader_has_an_order_of_their_own_and_always_the_same() -> None:
    for _ in range(12):
        factories.study()
    queue = made(shuffled=True)
    a, b = person(Role.ANNOTATOR), person(Role.ANNOTATOR)
    assert order_of(a, queue) == order_of(a, queue) != order_of(b, queue)
    assert sorted(order_of(a, queue)) == sorted(order_of(b, queue)) == [item.pk for item in queue.items.order_by("pk")]


def test_without_shuffling_everybody_has_the_queues_order() -> None:
    for _ in range(4):
        factories.study()
    queue = made(shuffled=False)
    assert order_of(person(Role.ANNOTATOR), queue) == [item.pk for item in queue.items.all()]


def test_the_nearest_deadline_comes_first(annotator: User) -> None:
    late, soon = factories.study(), factories.study()
    listed(late)
    queue = listed(soon, deadline=(timezone.now() + timedelta(days=1)).isoformat())
    item = assignment.next_item(annotator)
    assert item is not None
    assert item.queue == queue


def test_a_reader_is_told_by_when_a_queue_is_to_be_done(annotator: User) -> None:
    queue = listed(factories.study(), deadline=(timezone.now() + timedelta(days=1)).isoformat())
    told = client_of(annotator).get("/api/v1/label-queue/").json()
    assert queue.deadline is not None
    assert told["deadline"] == queue.deadline.isoformat()


# ---------- gold ----------


@pytest.fixture
def known() -> Study:
    """A study with a reference label: positive."""
    study = factories.study()
    factories.read(study, left=3)
    return study


def test_gold_studies_are_mixed_in_with_what_is_known(study: Study, known: Study) -> None:
    queue = listed(study, factories.study(), gold=0.5)
    gold = queue.items.get(gold__isnull=False)
    assert gold.gold is not None
    assert (gold.study, gold.gold["positive"], gold.gold["findings"]["left"]) == (known, True, 3)
    assert gold.why == queue.items.exclude(pk=gold.pk)[0].why


def test_everybody_answers_a_gold_study_and_it_makes_no_label(known: Study, study: Study) -> None:
    gold = listed(study, factories.study(), gold=0.5).items.get(gold__isnull=False)
    for _ in range(3):
        commit(person(Role.ANNOTATOR), gold)
    assert assignment.items_of(person(Role.ANNOTATOR)).filter(pk=gold.pk).exists()
    labels = client_of(person(Role.ADMIN)).get("/api/v1/labels/").json()["results"]
    assert [(label["study_uid"], label["positive"], label["rule"]) for label in labels] == [
        (known.uid, True, "reading_room")
    ]


def test_the_known_answer_is_on_no_page_of_a_reader(known: Study, study: Study, annotator: User) -> None:
    gold = listed(study, factories.study(), gold=0.5).items.get(gold__isnull=False)
    client = client_of(annotator)
    where = f"context=queue&item={gold.pk}"
    pages = [f"/label/{gold.pk}/", "/api/v1/label-queue/", f"/api/v1/studies/{known.uid}/reads/?{where}"]
    assert not [page for page in pages if "gold" in client.get(page).content.decode()]


def test_gold_without_any_known_answer_is_refused(study: Study) -> None:
    assert "reference label" in asked(gold=0.2).json()["detail"]


# ---------- repeats ----------


@pytest.fixture
def repeated(annotator: User) -> LabelQueue:
    studies = [factories.study() for _ in range(4)]
    return listed(*studies, repeats=0.25, repeat_gap=2, readers_per_study=1, readers=[annotator.username])


def test_a_repeat_comes_after_its_gap_and_the_total_never_tells(annotator: User, repeated: LabelQueue) -> None:
    shown: list[int] = []
    totals = set()
    while item := assignment.next_item(annotator):
        shown.append(item.study_id)
        totals.add(assignment.progress(annotator, repeated).total)
        commit(annotator, item)
    again = repeated.items.get(repeat_of__isnull=False).study_id
    first, second = (at for at, study in enumerate(shown) if study == again)
    assert (len(shown), totals) == (5, {5})
    assert second - first > 2 or second == 4


def test_a_repeat_cannot_be_opened_before_its_first_round(annotator: User, repeated: LabelQueue) -> None:
    repeat = repeated.items.get(repeat_of__isnull=False)
    client = client_of(annotator)
    assert client.get(f"/label/{repeat.pk}/").status_code == 404
    commit(annotator, repeat.repeat_of)
    assert client.get(f"/label/{repeat.pk}/").status_code == 200


def test_until_the_repeat_is_answered_the_reader_stays_blinded(annotator: User, repeated: LabelQueue) -> None:
    repeat = repeated.items.get(repeat_of__isnull=False)
    assert repeat.repeat_of is not None
    commit(annotator, repeat.repeat_of)
    assert not assignment.sees_others(annotator, repeat.repeat_of)
    commit(annotator, repeat)
    assert assignment.sees_others(annotator, repeat.repeat_of)


def test_a_repeat_makes_no_label_of_its_own(annotator: User, repeated: LabelQueue) -> None:
    repeat = repeated.items.get(repeat_of__isnull=False)
    commit(annotator, repeat.repeat_of)
    commit(annotator, repeat, left=3)
    labels = client_of(person(Role.ADMIN)).get("/api/v1/labels/").json()["results"]
    assert [label["positive"] for label in labels] == [False]


# ---------- readers, changes ----------


def test_who_is_uncertain_where_one_would_do_sends_it_to_a_second(annotator: User, study: Study) -> None:
    queue = listed(study, readers_per_study=1)
    commit(annotator, queue.items.get(), uncertain=True, right=0, left=0)
    second = assignment.next_item(person(Role.ANNOTATOR))
    assert second == queue.items.get()
    assert client_of(person(Role.ADMIN)).get("/api/v1/labels/").json()["count"] == 0


def test_an_admin_closes_a_queue_and_sees_how_far_it_was(annotator: User, study: Study) -> None:
    queue = listed(study, readers=[annotator.username], readers_per_study=1)
    commit(annotator, queue.items.get())
    client = client_of(person(Role.ADMIN))
    told = client.patch(f"{URL}{queue.pk}/", {"active": False}, "application/json").json()
    assert (told["active"], told["reads_done"], told["reads_needed"]) == (False, 1, 1)
    assert [(each["username"], each["done"]) for each in told["people"]] == [(annotator.username, 1)]
    assert assignment.next_item(annotator) is None


def test_progress_says_nothing_of_what_was_answered(annotator: User, study: Study) -> None:
    queue = listed(study)
    commit(annotator, queue.items.get(), left=3)
    client = client_of(person(Role.ADMIN))
    told = client.get(f"{URL}{queue.pk}/").content.decode() + client.get(URL).content.decode()
    assert told.count('"reads_done":1') == 2
    assert "findings" not in told
    assert "positive" not in told
