"""`make soak`: the kill rounds of tests/faults, many times, with their counts; a later run adds to an earlier one's.

Each leg starts a fresh site, kills it a number of times, and holds it to its ledger; every leg has rounds of a reader
whose typing is cut off, too. After every leg the sums are written to benchmarks/kept/soak.json. The exit status is 1
as soon as anything was lost, doubled or quarantined.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import sync_playwright

from scripts import services
from tests.browser.conftest import FLAGS
from tests.faults.keystrokes import Typist
from tests.faults.kills import Killer
from tests.services.stack import Stack, pieces

STATE = Path(__file__).resolve().parents[1] / "benchmarks" / "kept" / "soak.json"
ROUNDS_OF_A_LEG = 10
TYPED = "typing cut off"


def leg(seed: int) -> Counter[str]:
    """Ten kills of the worker and ten of the web process on one site."""
    with tempfile.TemporaryDirectory() as folder, pieces() as site:
        killer = Killer(site, Path(folder), seed=seed)
        for _ in range(ROUNDS_OF_A_LEG):
            killer.worker_round()
            killer.web_round()
        typed, typing_wrong = _typing(site, killer.send_small(), seed)
        wrong = Counter({kind: len(cases) for kind, cases in killer.check().items()}) + typing_wrong
        ledger = killer.ledger
        done = {"worker kills": ledger.worker_kills, "web kills": ledger.web_kills, "cut uploads": ledger.cut_uploads}
        return wrong + typed + Counter({**done, "instances acknowledged": len(ledger.acknowledged)})


def _typing(site: Stack, study: str, seed: int) -> tuple[Counter[str], Counter[str]]:
    """Ten rounds of typing that is cut off; how many of each kind, and what was lost or doubled."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=services.ensure().chromium, headless=True, args=FLAGS)
        reader = Typist(site, browser, study, seed)
        for _ in range(ROUNDS_OF_A_LEG):
            reader.round()
        reader.close()
        browser.close()
    wrong = Counter({f"typing {kind}": len(cases) for kind, cases in reader.wrong.items()})
    return Counter({TYPED: reader.rounds}), wrong


def _read() -> dict[str, int]:
    return json.loads(STATE.read_text()) if STATE.exists() else {}


def _went_wrong(sums: Counter[str]) -> bool:
    fine = {"worker kills", "web kills", "cut uploads", "instances acknowledged", "legs", "seconds", TYPED}
    return any(sums[name] for name in sums if name not in fine)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of each kind, earlier runs included")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    sums: Counter[str] = Counter(_read())
    while min(sums["worker kills"], sums[TYPED]) < options.kills and not _went_wrong(sums):
        began = time.monotonic()
        sums += leg(options.seed + sums["legs"])
        sums += Counter({"legs": 1, "seconds": round(time.monotonic() - began)})
        STATE.parent.mkdir(parents=True, exist_ok=True)
        STATE.write_text(json.dumps(dict(sums), indent=1) + "\n")
        print(", ".join(f"{name}: {count}" for name, count in sorted(sums.items())), flush=True)
    print("NOT as it should be" if _went_wrong(sums) else "nothing lost, nothing twice")
    return int(_went_wrong(sums))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
