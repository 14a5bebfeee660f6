"""Rounds of a reader whose work is cut off at a random key, for the fault tests and for `make soak`.

Each round types an answer, and at some key, with no pause after it, something breaks: the server dies, the page is
reloaded, the sign-in expires, the network goes, or another tab writes into the same draft. The reader goes on and
commits, sometimes while the server dies. The database is then held to what was typed: nothing lost, nothing twice.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.services.stack import PASSWORD, Stack, wait_until

FAULTS = ("server", "reload", "sign-in", "network", "two tabs", "commit")
NOTHING_LOST: dict[str, list[Any]] = {"lost": [], "doubled": []}
_SLOW = 60_000
COMMITS = "SELECT r.number, r.findings, r.comment FROM annotations_readrevision r ORDER BY r.number"
ASIDE = "SELECT answer FROM annotations_setaside"


@dataclass
class Typed:
    """What the reader has answered so far, as the keys say."""

    right: int = 0
    left: int = 0
    note: str = ""

    def told(self, findings: dict[str, Any], comment: str) -> bool:
        return (findings["right"], findings["left"], comment) == (self.right, self.left, self.note)


@dataclass
class Typist:
    """One reader in a browser, on one study of one site."""

    site: Stack
    browser: Browser
    study: str
    seed: int = 0
    done: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[Any]] = field(default_factory=lambda: {"lost": [], "doubled": []})

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.typed = Typed()
        self.others: list[str] = []
        self.context = self.browser.new_context(base_url=self.site.url)
        self.page = self.context.new_page()
        self._sign_in(self.page)
        self._open(self.page)

    @property
    def rounds(self) -> int:
        return sum(self.done.values())

    def close(self) -> None:
        self.context.close()

    # ---------- a round ----------

    def round(self, fault: str | None = None) -> None:
        fault = fault or self.random.choice(FAULTS)
        keys = self._keys(f"note {self.rounds + 1} {self.random.randrange(10**6)}")
        at = self.random.randrange(1, len(keys))
        for number, press in enumerate(keys):
            press()
            if number + 1 == at and fault != "commit":
                self._break(fault)
        self._commit(dies=fault == "commit")
        self.done[fault] += 1
        self._check(fault)
        self.page.keyboard.press("u")
        expect(self.page.locator("main[data-phase='reading']")).to_be_visible(timeout=_SLOW)

    def _keys(self, note: str) -> list[Callable[[], None]]:
        """What the reader does, one after the other. A side without its grade is no answer yet: those go together."""
        right, left = self.random.sample(range(1, 4), 2)
        return [
            lambda: self._grade("r", right),
            lambda: self._grade("l", left),
            lambda: self._note(note[: len(note) // 2]),
            lambda: self._note(note),
        ]

    def _grade(self, side: str, grade: int) -> None:
        self.page.keyboard.press(side)
        self.page.keyboard.press(str(grade))
        if side == "r":
            self.typed.right = grade
        else:
            self.typed.left = grade

    def _note(self, text: str) -> None:
        self.page.locator("#note").fill(text)
        self.typed.note = text
        self.page.keyboard.press("Escape")

    # ---------- what breaks ----------

    def _break(self, fault: str) -> None:
        breaks = {"server": self._kill, "reload": self._reload, "sign-in": self._expire, "network": self._cut}
        breaks.get(fault, self._two_tabs)()

    def _kill(self) -> None:
        self.site.processes["web-1"].kill()
        self.site.processes["web-1"].start()
        self.site.wait_for_web()

    def _reload(self) -> None:
        """A half-pressed side is the page's alone; an answer is not."""
        self.page.reload()
        self._ready(self.page)
        self._sees(self.page)

    def _expire(self) -> None:
        self.context.clear_cookies()
        self._note(f"{self.typed.note}, typed signed out")
        other = self.context.new_page()
        self._sign_in(other)
        other.close()

    def _cut(self) -> None:
        self.context.set_offline(True)
        self._note(f"{self.typed.note}, typed offline")
        self.context.set_offline(False)

    def _two_tabs(self) -> None:
        """Another tab writes; this one writes on without knowing, and its reader keeps what is here."""
        self._saved()
        other = self.context.new_page()
        self._open(other)
        mark = f"the other tab of round {self.rounds + 1}"
        other.locator("#note").fill(mark)
        expect(other.locator("main[data-draft='saved']")).to_be_visible(timeout=_SLOW)
        other.close()
        self.others.append(mark)
        self._note(f"{self.typed.note}, this tab")
        self.page.get_by_role("button", name="Keep the one here").click(timeout=_SLOW)

    # ---------- the commit ----------

    def _commit(self, *, dies: bool) -> None:
        before = len(self.site.rows(COMMITS))
        self._saved()
        self._sees(self.page)
        for _ in range(4):
            self.page.keyboard.press("Enter")
            if dies:
                self._kill()
                dies = False
            if self.page.locator("main[data-phase='reading']").count() == 0:
                break
            self.page.wait_for_timeout(150)
        expect(self.page.locator("main[data-phase='done']")).to_be_visible(timeout=_SLOW)
        wait_until(lambda: len(self.site.rows(COMMITS)) > before, seconds=30, what="the commit")

    def _check(self, fault: str) -> None:
        commits = self.site.rows(COMMITS)
        number, findings, comment = commits[-1]
        if not self.typed.told(_json(findings), comment):
            self.wrong["lost"].append((fault, self.typed, findings, comment))
        if len(commits) != self.rounds or number != self.rounds:
            self.wrong["doubled"].append((fault, len(commits), self.rounds))
        kept = str(self.site.rows(ASIDE))
        self.wrong["lost"] += [(fault, mark) for mark in self.others if mark not in kept]

    # ---------- the page ----------

    def _sign_in(self, page: Page) -> None:
        page.goto("/accounts/login/")
        page.get_by_label("Name", exact=True).fill("radiologist")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/accounts/login/" not in url, timeout=_SLOW)

    def _open(self, page: Page) -> None:
        page.goto(f"/studies/{self.study}/")
        self._ready(page)

    def _ready(self, page: Page) -> None:
        page.locator("html[data-viewer-ready='true']").wait_for(timeout=_SLOW)

    def _saved(self) -> None:
        expect(self.page.locator("main[data-draft='saved']")).to_be_visible(timeout=_SLOW)

    def _sees(self, page: Page) -> None:
        """The form shows what was typed, after whatever happened."""
        for side, grade in (("Right", self.typed.right), ("Left", self.typed.left)):
            if grade:
                word = ("", "I", "II", "III")[grade]
                button = page.get_by_role("button", name=re.compile(f"^{side}, {word}$"))
                expect(button).to_have_attribute("aria-pressed", "true", timeout=_SLOW)
        expect(page.locator("#note")).to_have_value(self.typed.note, timeout=_SLOW)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
