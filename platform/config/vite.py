"""``{% vite "src/entries/worklist.ts" %}``: the links and the module that Vite built for one entry."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import NotRequired, TypedDict

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


class Chunk(TypedDict):
    """What Vite says of one module in its manifest; keys that are not read are left out."""

    file: str
    css: NotRequired[list[str]]
    imports: NotRequired[list[str]]
    dynamicImports: NotRequired[list[str]]


ViteManifest = dict[str, Chunk]


@lru_cache(maxsize=1)
def _read_manifest(modified: float) -> ViteManifest:
    manifest: ViteManifest = json.loads(_manifest_path().read_text())
    return manifest


def _manifest_path() -> Path:
    dist: Path = settings.FRONTEND_DIST
    return dist / ".vite" / "manifest.json"


def _styles(manifest: ViteManifest, entry: str, seen: set[str]) -> list[str]:
    """The style sheets of an entry and of all it imports, each once, imports first."""
    if entry in seen:
        return []
    seen.add(entry)
    chunk = manifest[entry]
    imported = [sheet for name in chunk.get("imports", []) for sheet in _styles(manifest, name, seen)]
    return list(dict.fromkeys([*imported, *chunk.get("css", [])]))


def _modules(manifest: ViteManifest, entry: str, seen: set[str]) -> list[str]:
    """The files of all modules that an entry imports, at once or a moment later, each once."""
    chunk = manifest[entry]
    new = [name for name in [*chunk.get("imports", []), *chunk.get("dynamicImports", [])] if name not in seen]
    seen.update(new)
    files = [file for name in new for file in (manifest[name]["file"], *_modules(manifest, name, seen))]
    return list(dict.fromkeys(files))


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
