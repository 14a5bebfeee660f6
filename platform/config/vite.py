"""``{% vite "src/entries/worklist.ts" %}``: the links and the module that Vite built for one entry."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@lru_cache(maxsize=1)
def _read_manifest(modified: float) -> dict[str, dict[str, Any]]:
    manifest: dict[str, dict[str, Any]] = json.loads(_manifest_path().read_text())
    return manifest


def _manifest_path() -> Any:
    return settings.FRONTEND_DIST / ".vite" / "manifest.json"


def _styles(manifest: dict[str, dict[str, Any]], entry: str, seen: set[str]) -> list[str]:
    """The style sheets of an entry and of all it imports, each once, imports first."""
    if entry in seen:
        return []
    seen.add(entry)
    chunk = manifest[entry]
    imported = [sheet for name in chunk.get("imports", []) for sheet in _styles(manifest, name, seen)]
    return list(dict.fromkeys([*imported, *chunk.get("css", [])]))


def _modules(manifest: dict[str, dict[str, Any]], entry: str, seen: set[str]) -> list[str]:
    """The files of all modules that an entry imports, at once or a moment later, each once."""
    chunk = manifest[entry]
    new = [name for name in [*chunk.get("imports", []), *chunk.get("dynamicImports", [])] if name not in seen]
    seen.update(new)
    found = [file for name in new for file in (manifest[name]["file"], *_modules(manifest, name, seen))]
    return list(dict.fromkeys(found))


@register.simple_tag
def vite(entry: str) -> SafeString:
    """The tags for one entry; a front end that was never built says so in a comment instead of failing the page.

    Modules are named ahead: the browser asks for all of them at once, and not for each when it has read the one before.
    """
    path = _manifest_path()
    if not path.exists():
        return format_html("<!-- the front end is not built: run make frontend -->")
    manifest = _read_manifest(path.stat().st_mtime)
    sheets = format_html_join(
        "\n", '<link rel="stylesheet" href="{}">', ((static(s),) for s in _styles(manifest, entry, set()))
    )
    ahead = format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(m),) for m in _modules(manifest, entry, {entry}))
    )
    script = static(manifest[entry]["file"])
    return format_html('{}\n{}\n<script type="module" src="{}"></script>', sheets, ahead, script)
