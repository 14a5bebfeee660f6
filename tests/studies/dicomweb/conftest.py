from __future__ import annotations

from pathlib import Path
from typing import cast

import pydicom.config
import pytest

from studies.dicom import header, whole_header
from studies.dicom.bounded_reader import Refused
from studies.dicom.facts import Header
from studies.sandbox import pool


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers of our own small files are read in this process: a test of queries needs no sandbox."""

    def read(path: Path) -> Header:
        try:
            whole, _ = whole_header.read(path, header.TAGS)
            return cast(Header, {**header.read(path), "whole": whole})
        except Refused as refusal:
            raise pool.SandboxError(refusal.reason, code=refusal.code, lasting=True) from refusal

    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.IGNORE)
    monkeypatch.setattr(pool, "read_header", read)
