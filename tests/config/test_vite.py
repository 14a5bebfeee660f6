"""The links that a page carries for the front end that Vite built."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pytest_django import Settings

from config.vite import vite

MANIFEST = {
    "entry.ts": {"file": "entry.js", "imports": ["page.js"], "css": ["entry.css"]},
    "page.js": {"file": "page.js", "imports": ["common.js"], "dynamicImports": ["screen.ts"], "css": ["page.css"]},
    "screen.ts": {"file": "screen.js", "imports": ["common.js", "page.js"]},
    "common.js": {"file": "common.js"},
}


@pytest.fixture
def tags(tmp_path: Path, settings: Settings) -> str:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    settings.FRONTEND_DIST = tmp_path
    return vite("entry.ts")


def test_every_module_is_asked_for_at_once_and_only_once(tags: str) -> None:
    ahead = re.findall(r'modulepreload" href="/static/([^"]+)"', tags)
    assert sorted(ahead) == ["common.js", "page.js", "screen.js"]


def test_the_entry_runs_and_the_styles_of_what_it_imports_come_first(tags: str) -> None:
    assert '<script type="module" src="/static/entry.js">' in tags
    assert re.findall(r'stylesheet" href="/static/([^"]+)"', tags) == ["page.css", "entry.css"]
