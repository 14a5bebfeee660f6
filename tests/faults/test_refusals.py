"""A full disk, a spoilt model: refused with a reason, and everything else goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.kills import NOTHING_WRONG, Killer
from tests.services import phantoms
from tests.services.stack import Stack, free_port, pieces

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_a_full_disk_refuses_the_upload_whole_and_keeps_nothing_of_it(site: Stack, tmp_path: Path) -> None:
    before = site.rows("SELECT count(*) FROM studies_clip")
    files_before = _files(site)
    url = _web_with(site, FONTANELLE_DISK_RESERVE_BYTES=str(2**62))
    study = phantoms.files(phantoms.copied(phantoms.drawn(0), clips=2), tmp_path)
    sent = [("files", (path.name, path.read_bytes())) for path in study]
    answer = site.token("radiologist").post(f"{url}/api/v1/upload/", files=sent, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert site.rows("SELECT count(*) FROM studies_clip") == before
    assert _files(site) == files_before


def _files(site: Stack) -> set[Path]:
    """Everything in storage and in staging."""
    folder = Path(site.environment["FONTANELLE_VAR"])
    return {path for part in ("storage", "work/staging") for path in (folder / part).rglob("*") if path.is_file()}


def _web_with(site: Stack, **settings: str) -> str:
    """Another web process of the same site, with other settings."""
    environment, site.environment = site.environment, {**site.environment, **settings}
    try:
        site.web(free_port())
    finally:
        site.environment = environment
    site.wait_for_web()
    return site.urls[-1]


def test_a_spoilt_copy_of_the_demo_model_never_scores_and_the_next_worker_makes_it_whole(tmp_path: Path) -> None:
    with pieces() as site:
        site.processes["worker"].kill()
        (weights,) = (Path(site.environment["FONTANELLE_VAR"]) / "models").glob("*/backbone.safetensors")
        whole = weights.read_bytes()
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        site.processes["worker"].start()
        killer = Killer(site, tmp_path, seed=0)
        killer.send_small()
        assert killer.check() == NOTHING_WRONG
        assert weights.read_bytes() == whole
