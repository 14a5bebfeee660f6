"""What a test sees of a page: pixels, accessibility, pictures, and everything the server sent."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, ViewportSize

from tests.services.stack import PASSWORD, ROOT

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RESULTS = ROOT / "test-results"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
# What only the model says. A reader who is blinded must never be sent any of it.
AI_WORDS = re.compile(r'"(?:probability|flag|attention|heat_maps|logit)":\s*(?!null|\[\]|"")|suspected', re.I)


class Visit:
    """One person's browser window, which remembers every answer of the server."""

    def __init__(self, browser: Browser, url: str, *, name: str, has_touch: bool = False) -> None:
        self.url = url
        self.name = name
        self.answers: list[tuple[str, str]] = []
        self.broken: list[str] = []
        self.inaccessible: list[str] = []
        self.context: BrowserContext = browser.new_context(
            base_url=url, viewport=DESKTOP, reduced_motion="reduce", has_touch=has_touch
        )
        self.page: Page = self.context.new_page()
        self.page.on("response", self._remember)
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.page.on("console", lambda message: self.broken.append(message.text) if message.type == "error" else None)

    def _remember(self, response: Response) -> None:
        kind = response.headers.get("content-type", "")
        if response.status >= 500:
            self.broken.append(f"{response.status} {response.url}")
        if "json" in kind or "html" in kind:
            try:
                self.answers.append((response.url, response.text()))
            except Exception:  # noqa: BLE001  a page that moved on has no body any more
                self.answers.append((response.url, ""))

    def sign_in(self, username: str) -> None:
        self.page.goto("/accounts/login/")
        self.page.get_by_label("Name", exact=True).fill(username)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/accounts/login/" not in url)

    def picture(self, what: str) -> None:
        """A screenshot for people to look at."""
        RESULTS.mkdir(exist_ok=True)
        self.page.screenshot(path=RESULTS / f"{self.name}-{what}.png")

    def check_accessible(self, what: str) -> None:
        """Have axe-core look at this page as it is now, and take its picture; the walk's end wants nothing found."""
        self.picture(what)
        self.inaccessible += [f"{what}: {violation}" for violation in violations(self.page)]

    def ai_words(self, *, since: int = 0) -> list[str]:
        """Places in the server's answers where the model speaks."""
        hits = ((url, AI_WORDS.search(body)) for url, body in self.answers[since:])
        return [f"{url}: {hit.group()}" for url, hit in hits if hit]

    def sees_an_image(self) -> bool:
        """The first pane's canvas is not black, and shows more than one shade of grey."""
        canvas = self.page.locator("[data-pane] canvas").first
        if not canvas.is_visible():
            return False
        mean, spread = brightness(canvas)
        return mean > 2 and spread > 8

    def check_nothing_broke(self) -> None:
        """No script error, no failed request, nothing that the content security policy refused, nothing for axe."""
        assert self.broken == [], "\n".join(self.broken)
        assert self.inaccessible == [], "\n".join(self.inaccessible)

    def close(self) -> None:
        self.context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with a page as it is now."""
    if not page.evaluate("typeof window.axe !== 'undefined'"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']][:3]}" for one in found["violations"]]


def brightness(canvas: Locator) -> tuple[float, float]:
    """Mean and standard deviation of what the eye sees of an element, 0..255."""
    grey = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L"), dtype=float)
    return float(grey.mean()), float(grey.std())
