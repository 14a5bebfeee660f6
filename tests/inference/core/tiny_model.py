"""A model small enough to be written and read in a test: a ResNet-18 and two heads, random."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from inference.core.manifest import (
    BACKBONE,
    HEAD,
    MANIFEST,
    Achieved,
    Calibration,
    Manifest,
    OperatingPoint,
    TrainedOn,
    file_digest,
)
from inference.core.network import backbone, head
from inference.core.weights import write_model

POINT = OperatingPoint(0.4, "a promise", Achieved(0.92, (0.82, 0.97), 0.5, 60), "a rule")


def manifest(**changes: Any) -> Manifest:
    """A manifest in order, but for `changes`."""
    plain = Manifest(
        name="tiny",
        version="1",
        created="2026-01-15T00:00:00+00:00",
        licence="Apache-2.0",
        architecture="resnet18",
        head_kind="gated",
        members=2,
        embedding_dim=512,
        preprocessing="p1",
        input_size=128,
        frame_budget=48,
        backbone_digest="0" * 64,
        head_digest="0" * 64,
        trained_on=TrainedOn("phantoms", "nothing", "0" * 64, 0, 0),
        calibration=Calibration(1.5, -0.5),
        operating_points={"target_0.90": POINT, "youden": POINT},
        triage_point="target_0.90",
    )
    return replace(plain, **changes)


def write_tiny(folder: Path) -> Manifest:
    """Write a whole model folder that reads back."""
    torch.manual_seed(0)
    heads = [head("gated", 512) for _ in range(2)]
    return write_model(folder, manifest=manifest(), backbone=backbone("resnet18"), heads=heads)


def write_empty(folder: Path, **changes: Any) -> None:
    """Write a folder whose manifest is in order and whose weights are four bytes: enough for `read_manifest`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (BACKBONE, HEAD):
        (folder / name).write_bytes(b"none")
    digest = file_digest(folder / HEAD)
    (folder / MANIFEST).write_text(manifest(backbone_digest=digest, head_digest=digest, **changes).to_json())


def edit(folder: Path, **changes: Any) -> None:
    """Change fields of a written manifest; None removes one."""
    data = json.loads((folder / MANIFEST).read_text()) | changes
    fields = {key: value for key, value in data.items() if value is not None}
    (folder / MANIFEST).write_text(json.dumps(fields))
