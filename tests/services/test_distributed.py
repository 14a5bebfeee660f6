"""PostgreSQL, Redis, Celery and two web processes: what only many processes together can get wrong."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.services import phantoms
from tests.services.stack import Client, Stack, wait_until

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def sender(site: Stack) -> requests.Session:
    return site.token("radiologist")


def send(site: Stack, sender: requests.Session, folder: Path, *, url: str | None = None) -> str:
    """Upload a small study; its UID."""
    study = phantoms.copied(phantoms.drawn(0), clips=1)
    files = [("files", (path.name, path.read_bytes())) for path in phantoms.files(study, folder)]
    answer = sender.post(f"{url or site.url}/api/v1/upload/", files=files, timeout=60)
    assert answer.status_code in {200, 201}, answer.text[:300]
    return study.study_uid


def scored(sender: requests.Session, url: str, uid: str) -> bool:
    answer = sender.get(f"{url}/api/v1/studies/{uid}/score/", timeout=30)
    return answer.status_code == 200 and answer.json()["state"] == "scored"


def test_what_one_web_process_took_in_is_shown_by_the_other(
    site: Stack, sender: requests.Session, tmp_path: Path
) -> None:
    uid = send(site, sender, tmp_path, url=site.urls[0])
    wait_until(lambda: scored(sender, site.urls[1], uid), seconds=120, what=f"a score\n{site.logs()}")


def test_an_event_of_one_web_process_reaches_the_pages_of_the_other(
    site: Stack, sender: requests.Session, tmp_path: Path
) -> None:
    reader = Client(site.urls[1], "radiologist")
    cookie = "; ".join(f"{name}={value}" for name, value in reader.cookies.items())
    address = site.urls[1].replace("http", "ws") + "/ws/events/"
    with connect(address, additional_headers={"Cookie": cookie}, origin=Origin(site.urls[1])) as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "hello"
        uid = send(site, sender, tmp_path, url=site.urls[0])
        assert _next_about(socket, uid)["kind"] == "study"


def _next_about(socket: Any, uid: str) -> dict[str, Any]:
    while True:
        event: dict[str, Any] = json.loads(socket.recv(timeout=20))
        if event.get("study_uid") == uid:
            return event


def test_many_requests_leave_few_connections_behind(site: Stack, sender: requests.Session) -> None:
    for _ in range(60):
        assert sender.get(f"{site.url}/api/v1/worklist/", timeout=30).ok
    (connections,) = site.rows("SELECT count(*) FROM pg_stat_activity WHERE usename = 'fontanelle'")[0]
    assert connections < 25


def test_on_postgresql_audit_entries_take_their_present_names_and_are_locked_again(
    site: Stack, sender: requests.Session
) -> None:
    issued = "SELECT count(*) FROM accounts_auditentry WHERE action = 'token.issued'"
    before = site.rows(issued)
    site.manage("migrate", "accounts", "0003")
    assert site.rows(issued) == [(0,)]
    site.manage("migrate", "accounts")
    assert site.rows(issued) == before != [(0,)]
    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        site.rows("UPDATE accounts_auditentry SET outcome = 'other' RETURNING id")


@pytest.fixture
def without_redis(site: Stack) -> Iterator[None]:
    site.processes["redis"].kill()
    yield
    site.processes["redis"].start()


@pytest.mark.faults
def test_without_redis_a_study_comes_in_is_closed_and_scored(
    site: Stack, sender: requests.Session, tmp_path: Path, without_redis: None
) -> None:
    uid = send(site, sender, tmp_path)
    wait_until(lambda: scored(sender, site.url, uid), seconds=60, what=f"a score\n{site.logs()}")


@pytest.fixture
def stalled_redis(site: Stack) -> Iterator[None]:
    """It keeps its connections and takes new ones, and answers none."""
    site.processes["redis"].signal(signal.SIGSTOP)
    yield
    site.processes["redis"].signal(signal.SIGCONT)


@pytest.mark.faults
def test_while_redis_stalls_a_study_comes_in_is_closed_and_scored(
    site: Stack, sender: requests.Session, tmp_path: Path, stalled_redis: None
) -> None:
    uid = send(site, sender, tmp_path)
    wait_until(lambda: scored(sender, site.url, uid), seconds=60, what=f"a score\n{site.logs()}")


@pytest.mark.faults
def test_within_15_seconds_readiness_says_that_the_broker_is_down(site: Stack, without_redis: None) -> None:
    def told() -> bool:
        answer = requests.get(f"{site.url}/readyz", timeout=10).json()
        return bool(answer["status"] == "degraded" and answer["parts"]["broker"] == "down")

    wait_until(told, seconds=15, what="degraded, with the broker down")
    assert requests.get(f"{site.url}/readyz", timeout=10).json()["parts"]["workers"] == "ok"


@pytest.mark.faults
def test_a_worker_that_starts_without_redis_works_and_stops_when_told(
    site: Stack, sender: requests.Session, tmp_path: Path, without_redis: None
) -> None:
    triage = site.processes["celery-triage"]
    triage.kill()
    triage.start()
    uid = send(site, sender, tmp_path)
    wait_until(lambda: scored(sender, site.url, uid), seconds=90, what=f"a score\n{site.logs()}")
    assert triage.running is not None
    triage.signal(signal.SIGTERM)
    try:
        assert triage.running.wait(15) == 0
    finally:
        triage.start()


@pytest.mark.faults
def test_within_20_seconds_banner_and_readiness_say_that_no_worker_lives(site: Stack, sender: requests.Session) -> None:
    site.processes["celery-triage"].kill()
    try:
        wait_until(lambda: not ai_is_fine(site, sender), seconds=20, what="the banner")
        assert requests.get(f"{site.url}/readyz", timeout=10).json()["parts"]["workers"] == "down"
    finally:
        site.processes["celery-triage"].start()
    wait_until(lambda: ai_is_fine(site, sender), seconds=60, what=f"the worker is back\n{site.logs()}")


def ai_is_fine(site: Stack, sender: requests.Session) -> bool:
    state: str = sender.get(f"{site.url}/api/v1/worklist/", timeout=30).json()["ai"]["state"]
    return state == "ok"


@pytest.mark.faults
def test_without_postgresql_the_answer_is_503_and_all_goes_on_when_it_is_back(
    site: Stack, sender: requests.Session, tmp_path: Path
) -> None:
    site.processes["postgres"].kill()
    try:
        answer = sender.get(f"{site.url}/api/v1/worklist/", timeout=30)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    finally:
        site.processes["postgres"].start()
    wait_until(lambda: sender.get(f"{site.url}/api/v1/worklist/").ok, seconds=30, what="the list answers again")
    uid = send(site, sender, tmp_path)
    wait_until(lambda: scored(sender, site.url, uid), seconds=120, what=f"a score\n{site.logs()}")
