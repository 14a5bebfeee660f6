"""`python -m training COMMAND`: each command's module is imported only when that command is chosen."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

# platform/ is a source root and never a package: see docs/decisions/0001-source-root.md. The cores use its `common`.
sys.path.append(str(Path(__file__).resolve().parents[1] / "platform"))

COMMANDS = {
    "benchmark": ("training.benchmark.run:main", "both recipes on neophantom-v1: every figure of docs/benchmark.md"),
    "phantom": ("training.phantom.cli:main", "write generated phantom studies as DICOM, with their truth"),
    "crossval": ("training.cli:crossval", "patient-level cross-validation on frames or features"),
    "pretrain": ("training.pretraining.methods:main", "a backbone from unlabelled ultrasound"),
    "beside": ("training.phantom.contact_sheet:main", "generated frames under real ones, on one sheet to look at"),
    "freeze": (
        "training.benchmark.contrast_search:main",
        "set the benchmark cohort so that the paper's recipe does as published",
    ),
    "cohorts": (
        "training.benchmark.threshold_simulation:main",
        "whether rules keep their promised sensitivity, on simulated scores",
    ),
    "labels-needed": (
        "training.benchmark.label_efficiency_page:main",
        "labels that a strategy needs for the AUROC that random reaches",
    ),
    "demo-model": ("training.cli:demo_model", "train the demo model on phantoms"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the chosen command with the rest of the arguments; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = "; ".join(f"{name}: {text}" for name, (_, text) in COMMANDS.items())
    parser.add_argument("command", choices=sorted(COMMANDS), help=commands)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see COMMAND --help")
    options = parser.parse_args(argv)
    module, _, function = COMMANDS[options.command][0].partition(":")
    return int(getattr(importlib.import_module(module), function)(options.arguments) or 0)


if __name__ == "__main__":
    sys.exit(main())
