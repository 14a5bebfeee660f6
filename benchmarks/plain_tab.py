"""A tab that nobody inspects, to tell what a page weighs.

A test tool that listens to a page's network has the page's own process keep the answers for it: Playwright asks for
that whenever it opens a page, and a tab in which ten studies were read seems to grow by all their pictures. This speaks
the DevTools protocol and listens to nothing.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from scripts import services
from tests.browser.conftest import FLAGS
from tests.browser.page_probes import DESKTOP

WAITS = 20


class PlainTab:
    """The one page of a Chromium of its own."""

    def __init__(self, line: ClientConnection, browser: int) -> None:
        self._line = line
        self._number = 0
        self.browser = browser

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """A command and its answer; ``RuntimeError`` with what Chromium says where it refuses."""
        self._number += 1
        self._line.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._line.recv())
            if message.get("id") == self._number:
                break
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return dict(message["result"])

    def evaluate(self, function: str, argument: object = None) -> Any:
        """What this function of JavaScript returns, as Playwright's page has it."""
        call = f"({function})({json.dumps(argument)})"
        answer = self.send("Runtime.evaluate", expression=call, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def goto(self, url: str) -> None:
        """Open this address; what is there is to be waited for."""
        self.send("Page.navigate", url=url)

    def wait_for(self, selector: str) -> None:
        """Until something on the page matches."""
        deadline = time.monotonic() + WAITS
        while not self.evaluate("(wanted) => Boolean(document.querySelector(wanted))", selector):
            if time.monotonic() > deadline:
                raise TimeoutError(f"The page shows nothing that matches {selector}.")
            time.sleep(0.1)

    def megabytes(self) -> float:
        """What the tab's process holds (PSS): of this browser's renderers the one that holds most."""
        self.send("HeapProfiler.collectGarbage")
        return max(_pss(renderer) for renderer in _renderers(self.browser))


@contextmanager
def plain_tab() -> Iterator[PlainTab]:
    """A fresh Chromium with one empty page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        where = [f"--user-data-dir={profile}", "--remote-debugging-port=0", "--headless", "about:blank"]
        command = [str(services.ensure().chromium), *FLAGS, *where]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
            try:
                with connect(_page_of(Path(profile)), max_size=None) as line:
                    tab = PlainTab(line, browser.pid)
                    tab.send("Emulation.setDeviceMetricsOverride", **DESKTOP, deviceScaleFactor=1, mobile=False)
                    yield tab
            finally:
                browser.kill()


def _page_of(profile: Path) -> str:
    """The address at which the page takes commands."""
    port, deadline = profile / "DevToolsActivePort", time.monotonic() + WAITS
    while not (port.exists() and "\n" in port.read_text()):
        if time.monotonic() > deadline:
            raise TimeoutError("Chromium did not start.")
        time.sleep(0.1)
    with urlopen(f"http://127.0.0.1:{port.read_text().split()[0]}/json") as answer:
        return str(next(page["webSocketDebuggerUrl"] for page in json.load(answer) if page["type"] == "page"))


def _renderers(browser: int) -> list[int]:
    parents, renderers = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"--type=renderer" in words:
            renderers.append(int(folder.name))

    def ours(pid: int) -> bool:
        while pid > 1 and pid != browser:
            pid = parents.get(pid, 0)
        return pid == browser

    return list(filter(ours, renderers))


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
