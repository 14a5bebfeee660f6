"""Rounds of deaths, for the fault tests and for `make soak`: each kills something at a random moment and recovers.

A round keeps what the site acknowledged in a ledger; `check` then holds the database to it: nothing lost, nothing
twice, nobody innocent in quarantine.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.services import phantoms
from tests.services.stack import Stack, wait_until
from training.phantom.examination import PhantomExam

SETTLE_SECONDS = 180
NOTHING_WRONG: dict[str, list[Any]] = {"lost": [], "unscored": [], "scored twice": [], "quarantined": [], "damaged": []}
KEPT = "SELECT c.sop_uid, s.uid FROM studies_clip c JOIN studies_study s ON s.id = c.study_id"
SCORED = (
    "SELECT DISTINCT s.uid FROM inference_score x JOIN studies_studyrevision r ON r.id = x.revision_id "
    "JOIN studies_study s ON s.id = r.study_id WHERE x.flag IN ('suspected', 'not_suspected')"
)
DOUBLE = "SELECT revision_id FROM inference_score GROUP BY revision_id, model_id, purpose HAVING count(*) > 1"


@dataclass
class Ledger:
    """What the site said it has, and how often we killed it."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """SOP instance UID to study UID."""
    worker_kills: int = 0
    web_kills: int = 0
    cut_uploads: int = 0

    @property
    def studies(self) -> set[str]:
        return set(self.acknowledged.values())


class Killer:
    """Kills the parts of one site that was started in pieces."""

    def __init__(self, site: Stack, folder: Path, *, seed: int) -> None:
        self.site = site
        self.folder = folder
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.sender = site.token("radiologist")

    def worker_round(self) -> None:
        """A study comes in; the worker dies at some moment of its work and is started again."""
        self._send(phantoms.copied(phantoms.drawn(0), clips=2))
        time.sleep(self.random.uniform(0.8, 2.5))
        self.site.processes["worker"].kill()
        self.ledger.worker_kills += 1
        self.site.processes["worker"].start()

    def web_round(self) -> None:
        """The web process dies while a study comes in; the sender tries again, as senders do."""
        study = phantoms.copied(phantoms.drawn(0), clips=3)
        sending = threading.Thread(target=self._try_to_send, args=(study,))
        sending.start()
        time.sleep(self.random.uniform(0.0, 0.5))
        self.site.processes["web-1"].kill()
        self.ledger.web_kills += 1
        sending.join()
        self.site.processes["web-1"].start()
        self.site.wait_for_web()
        self._send(study)

    def send_small(self) -> str:
        """A study of one clip comes in; its UID."""
        study = phantoms.copied(phantoms.drawn(0), clips=1)
        self._send(study)
        return study.study_uid

    def _try_to_send(self, study: PhantomExam) -> None:
        try:
            self._send(study)
        except requests.RequestException:
            self.ledger.cut_uploads += 1

    def _send(self, study: PhantomExam) -> None:
        """Upload, and note what was acknowledged."""
        paths = phantoms.files(study, self.folder)
        files = [("files", (path.name, path.read_bytes(), "application/dicom")) for path in paths]
        answer = self.sender.post(f"{self.site.url}/api/v1/upload/", files=files, timeout=60)
        assert answer.status_code in {200, 201}, f"{answer.status_code}: {answer.text[:300]}"
        results = answer.json()["results"]
        assert {result["outcome"] for result in results} <= {"stored", "duplicate"}, results
        self.ledger.acknowledged |= {clip.sop_uid: study.study_uid for clip in study.clips}

    def settle(self) -> None:
        """Wait until every acknowledged study has its score and no job is left."""
        wait_until(self._is_settled, seconds=SETTLE_SECONDS, what=f"all scores\n{self.site.logs()}")

    def _is_settled(self) -> bool:
        # In this order: a study that closes between the two looks has its job by the second one.
        (open_studies,) = self.site.rows("SELECT count(*) FROM studies_study WHERE closes_at IS NOT NULL")[0]
        (left,) = self.site.rows("SELECT count(*) FROM jobs_job WHERE status IN ('queued', 'running')")[0]
        return bool(left == 0 and open_studies == 0)

    def check(self) -> dict[str, list[Any]]:
        """What went wrong, by kind."""
        self.settle()
        kept = dict(self.site.rows(KEPT))
        scored = {uid for (uid,) in self.site.rows(SCORED)}
        return {
            "lost": sorted(self.ledger.acknowledged.items() - kept.items()),
            "unscored": sorted(self.ledger.studies - scored),
            "scored twice": self.site.rows(DOUBLE),
            "quarantined": self.site.rows("SELECT key, error FROM jobs_job WHERE status = 'quarantined'"),
            "damaged": self._damaged(),
        }

    def _damaged(self) -> list[str]:
        """Digests of the database whose bytes are gone or other."""
        storage = Path(self.site.environment["FONTANELLE_VAR"]) / "storage"
        wanted = [digest for (digest,) in self.site.rows("SELECT digest FROM studies_clip")]
        return [digest for digest in wanted if _digest(storage / digest[:2] / digest[2:4] / digest) != digest]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
