"""The viewer's peer: the same frames through Cornerstone's own WADO-RS loader, from the plainest server there can be.

No sign-in, no audit entry, no database, frames ready in memory: whatever our own way costs on top, the peer is spared.
"""

from __future__ import annotations

import contextlib
import json
import mimetypes
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser
from pydicom import dcmread  # noqa: TID251 - a file that the benchmark has just written
from pydicom.encaps import generate_frames

from tests.services.stack import ROOT

NAME = "Cornerstone's WADO-RS loader, plain server"
DIST = ROOT / "frontend" / "dist-peer"
BOUNDARY = "peer"
PAGE = """<!doctype html><title>peer</title><style>#picture {{ width: 700px; height: 525px }}</style>
<div id="picture"></div><script type="module" src="/{script}"></script>"""


def load_all(browser: Browser, file: Path, *, runs: int) -> list[float]:
    """Seconds from the request for the second frame of a clip to the last one decoded, with the first on the screen."""
    _build()
    with _serving(file) as (url, frames):
        return [_once(browser, url, frames) for _ in range(runs)]


def _once(browser: Browser, url: str, frames: int) -> float:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("() => window.measure")
    took = float(page.evaluate("(frames) => measure(frames)", frames))
    context.close()
    return took / 1000


def _build() -> None:
    command = ["npm", "--prefix", "frontend", "exec", "--", "vite", "build", "-c", "frontend/vite.peer.config.ts"]
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}, check=True, capture_output=True)


@contextlib.contextmanager
def _serving(file: Path) -> Iterator[tuple[str, int]]:
    """A WADO-RS of one clip on a loopback port; its address and how many frames the clip has."""
    clip = dcmread(file)
    frames = list(generate_frames(clip.PixelData, number_of_frames=clip.NumberOfFrames))
    del clip.PixelData
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text())
    page = PAGE.format(script=manifest["peer/peer.ts"]["file"]).encode()
    facts = json.dumps(clip.to_json_dict()).encode()
    fixed = {"/": ("text/html", page), "/metadata": ("application/dicom+json", facts)}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, body = fixed.get(self.path) or _asset(self.path) or _frame(self.path, frames)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", len(frames)
    finally:
        server.shutdown()


def _asset(path: str) -> tuple[str, bytes] | None:
    file = DIST / path.lstrip("/")
    if not path.startswith("/assets/") or not file.is_file():
        return None
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()


def _frame(path: str, frames: list[bytes]) -> tuple[str, bytes]:
    """One frame as WADO-RS sends it: a multipart body of one part."""
    number = path.removeprefix("/frames/")
    if not number.isdigit():
        return "text/plain", b""
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50\r\n\r\n".encode()
    body = head + frames[int(number) - 1] + f"\r\n--{BOUNDARY}--\r\n".encode()
    return f'multipart/related; type="image/jpeg"; boundary={BOUNDARY}', body
