from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.studies.dicoms import clip
from tests.studies.site import Site

pytestmark = pytest.mark.faults
ROUNDS = int(os.environ.get("FONTANELLE_KILLS", "2"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    site.prepare()
    return site


@pytest.fixture
def site(prepared: Site) -> Iterator[Site]:
    prepared.start()
    yield prepared
    prepared.kill()


def _uids(instances: int, prefix: str) -> list[tuple[str, bytes]]:
    study = f"{prefix}.0"
    made = [(f"{prefix}.{number + 1}", number) for number in range(instances)]
    return [(uid, clip(StudyInstanceUID=study, SOPInstanceUID=uid, seed=seed, frames=60)) for uid, seed in made]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_web_process_killed_while_it_stores_leaves_nothing_half_done(site: Site, seed: int) -> None:
    made = _uids(25, f"1.77.{seed}")
    instances = [data for _, data in made]
    sender = threading.Thread(target=site.store, args=[instances])
    sender.start()
    time.sleep(random.Random(seed).uniform(0.05, 0.6))
    site.kill()
    sender.join()
    before = site.indexed()
    assert set(before.values()) <= site.whole()
    site.start()
    assert site.store(instances)[0] == 200
    after = site.indexed()
    assert {uid for uid, _ in made} <= set(after)
    assert before.items() <= after.items()
    assert set(after.values()) <= site.whole()


def test_what_was_acknowledged_is_there_after_a_kill(site: Site) -> None:
    made = _uids(10, "1.78")
    assert site.store([data for _, data in made])[0] == 200
    site.kill()
    assert {uid for uid, _ in made} <= set(site.indexed())
    assert set(site.indexed().values()) <= site.whole()


def test_twenty_writers_of_one_study_lose_and_double_nothing(site: Site) -> None:
    made = _uids(100, "1.79")
    parts = [[data for _, data in made[start::20]] + [made[0][1]] for start in range(20)]
    with ThreadPoolExecutor(20) as writers:
        statuses = list(writers.map(lambda part: site.store(part)[0], parts))
    assert statuses == [200] * 20
    assert sum(uid.startswith("1.79.") for uid in site.indexed()) == 100


def test_a_disk_that_is_really_full_is_507_and_heals(tmp_path: Path) -> None:
    """A tmpfs of 3 MB, where this may be mounted."""
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    site = Site(tmp_path, {"STORAGE_URL": f"file://{small}/storage", "FONTANELLE_WORK": str(small / "work")})
    try:
        site.prepare()
        site.start()
        made = _uids(100, "1.80")
        status, answer = site.store([data for _, data in made])
        assert (status, answer["code"]) == (507, "disk_full")
        assert site.indexed() == {}
        assert not [path for path in small.rglob("*") if path.is_file()]
        assert site.store([data for _, data in made[:10]])[0] == 200
    finally:
        site.kill()
        subprocess.run(["umount", str(small)], check=True)
