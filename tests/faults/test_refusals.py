"""A full disk, a spoilt model: refused with a reason, and everything else goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.faults.kills import Killer
from tests.services import phantoms
from tests.services.stack import Stack, free_port, pieces, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


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


def test_a_spoilt_model_is_refused_and_the_studies_stay_on_the_list(tmp_path: Path) -> None:
    with pieces() as site:
        _spoil_the_model(site)
        killer = Killer(site, tmp_path, seed=0)
        site.processes["worker"].start()
        uid = killer.send_small()
        wait_until(lambda: _ai_is_down(killer.sender, site.url), seconds=120, what="the banner")
        rows = killer.sender.get(f"{site.url}/api/v1/worklist/", timeout=30).json()["results"]
        assert uid in {row["study_uid"] for row in rows if row["flag"] in {None, "not_analysed"}}


def _spoil_the_model(site: Stack) -> None:
    """One bit of the installed weights turns over while no worker runs."""
    site.processes["worker"].kill()
    models = Path(site.environment["FONTANELLE_VAR"]) / "models"
    (weights,) = models.glob("*/backbone.safetensors")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))


def _ai_is_down(sender: requests.Session, url: str) -> bool:
    return bool(sender.get(f"{url}/api/v1/worklist/", timeout=30).json()["ai"]["state"] == "down")
