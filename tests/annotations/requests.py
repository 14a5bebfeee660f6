"""What a reading page asks of the server."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from studies.models import Study
from tests.accounts.people import client_of
from tests.annotations.factories import NEGATIVE


class Desk:
    """One person's requests about one study."""

    def __init__(self, user: User, study: Study, **where: Any) -> None:
        self.client = client_of(user)
        self.base = f"/api/v1/studies/{study.uid}/"
        self.where = where

    def draft(self, findings: Any, version: int = 0, comment: str = "") -> Any:
        body = {**self.where, "findings": findings, "version": version, "comment": comment}
        return self.client.put(f"{self.base}reads/draft/", body, content_type="application/json")

    def commit(self, findings: Any = NEGATIVE, version: int = 0, key: str = "one", **more: Any) -> Any:
        body = {**self.where, "findings": findings, "version": version, "idempotency_key": key, "comment": "", **more}
        return self.client.post(f"{self.base}reads/commit/", body, content_type="application/json")

    def post(self, what: str, **body: Any) -> Any:
        return self.client.post(f"{self.base}reads/{what}/", {**self.where, **body}, content_type="application/json")

    def reads(self) -> Any:
        return self.client.get(f"{self.base}reads/", self.where).json()

    def score(self, **query: str) -> Any:
        return self.client.get(f"{self.base}score/", query).json()
