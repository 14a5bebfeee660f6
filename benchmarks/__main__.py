"""`make bench [AREA=…]`: run the areas' measurements, merge them into benchmarks/latest.json, print the table."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

# platform/ is a source root and never a package: see docs/decisions/0001-source-root.md.
sys.path.append(str(Path(__file__).resolve().parents[1] / "platform"))

from benchmarks.rows import merge, table

AREAS = ("main", "viewer", "labels", "training")


def main(arguments: list[str]) -> int:
    """Measure the areas named, or all; 0 when every measurement could be made, whatever it says."""
    if unknown := set(arguments) - set(AREAS):
        sys.stderr.write(f"There is no area {', '.join(unknown)}; there are {', '.join(AREAS)}.\n")
        return 2
    rows = []
    for area in arguments or AREAS:
        for measure in importlib.import_module(f"benchmarks.{area}_area").MEASURES:
            print(f"… {area}: {measure.__name__}", flush=True)
            rows += measure()
    merged = merge(rows)
    print(table(merged))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
