"""A manifest is exactly what it should be, or the folder is refused with a reason."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.core.manifest import (
    HEAD,
    MANIFEST,
    BadModel,
    Calibration,
    manifest_digest,
    parse_manifest,
    read_manifest,
)
from tests.inference.core.tiny_model import POINT, edit, manifest, write_empty

POINT_JSON = asdict(POINT)


def _points(**achieved: Any) -> dict[str, Any]:
    return {"operating_points": {"target_0.90": POINT_JSON | {"achieved": POINT_JSON["achieved"] | achieved}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_empty(tmp_path / "model")
    return tmp_path / "model"


def test_it_reads_what_was_written() -> None:
    assert parse_manifest(manifest().to_json()) == manifest()


def test_it_reads_a_folder_with_matching_digests(folder: Path) -> None:
    assert read_manifest(folder).name == "tiny"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"licence": None}, "lacks licence"),
        ({"colour": "red"}, "unknown fields: colour"),
        ({"name": ""}, "names no model"),
        ({"members": "two"}, "members is not a whole number"),
        ({"members": True}, "members is not a whole number"),
        ({"members": 0}, "0 members"),
        ({"name": 7}, "name is not text"),
        ({"architecture": "vgg"}, "architecture 'vgg'"),
        ({"head_kind": "oracle"}, "head kind 'oracle'"),
        ({"embedding_dim": 7}, "embedding_dim 7"),
        ({"preprocessing": "p0"}, "preprocessing 'p0'"),
        ({"input_size": 64}, "input_size 64"),
        ({"frame_budget": 0}, "frame_budget 0"),
        ({"backbone_digest": "abc"}, "backbone_digest is not a SHA-256"),
        ({"head_digest": "g" * 64}, "head_digest is not a SHA-256"),
        ({"trained_on": {"kind": "people"}}, "trained_on lacks"),
        ({"trained_on": asdict(manifest().trained_on) | {"kind": "moon"}}, "'moon'"),
        ({"trained_on": asdict(manifest().trained_on) | {"patients": -1}}, "below zero"),
        ({"trained_on": "phantoms"}, "trained_on is not an object"),
        ({"calibration": {"slope": -1.0, "intercept": 0.0}}, "turn the ranking round"),
        ({"calibration": {"slope": "1", "intercept": 0.0}}, "slope is not a number"),
        ({"calibration": {"slope": 10**400, "intercept": 0.0}}, "not a finite number"),
        ({"triage_point": "none"}, "triage_point 'none'"),
        ({"operating_points": []}, "operating_points is not an object"),
        ({"operating_points": {"target_0.90": POINT_JSON | {"threshold": 1.5}}}, "outside 0 to 1"),
        (
            {
                "operating_points": {
                    "target_0.90": POINT_JSON | {"achieved": POINT_JSON["achieved"] | {"interval": [1]}}
                }
            },
            "not a list of 2",
        ),
        (
            {
                "operating_points": {
                    "target_0.90": POINT_JSON | {"achieved": POINT_JSON["achieved"] | {"interval": [1, 0]}}
                }
            },
            "impossible interval",
        ),
    ],
)
def test_it_refuses(folder: Path, changes: dict[str, Any], reason: str) -> None:
    edit(folder, **changes)
    with pytest.raises(BadModel, match=reason):
        read_manifest(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"name": NaN}', '{"name": "a", "name": "b"}', "[" * 100_000, "\xff"]
)
def test_it_refuses_what_is_no_manifest(text: str) -> None:
    with pytest.raises(BadModel):
        parse_manifest(text.encode("latin-1"))


def test_it_refuses_a_huge_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text(" " * 1_000_001)
    with pytest.raises(BadModel, match="bytes long"):
        read_manifest(folder)


def test_it_refuses_a_digest_that_differs(folder: Path) -> None:
    (folder / HEAD).write_bytes(b"other")
    with pytest.raises(BadModel, match=r"head\.safetensors has digest"):
        read_manifest(folder)


def test_it_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="no such model folder"):
        read_manifest(tmp_path / "nowhere")


def test_it_refuses_a_missing_file(folder: Path) -> None:
    (folder / HEAD).unlink()
    with pytest.raises(BadModel, match=r"lacks head\.safetensors"):
        read_manifest(folder)


def test_it_refuses_a_file_too_many(folder: Path) -> None:
    (folder / "weights.pkl").write_bytes(b"")
    with pytest.raises(BadModel, match=r"do not belong to a model: weights\.pkl"):
        read_manifest(folder)


def test_it_refuses_a_link(folder: Path, tmp_path: Path) -> None:
    (folder / HEAD).rename(tmp_path / "elsewhere")
    (folder / HEAD).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadModel, match="not a plain file"):
        read_manifest(folder)


def test_the_name_of_a_version_changes_with_its_manifest(folder: Path) -> None:
    before = manifest_digest(folder)
    edit(folder, version="2")
    assert manifest_digest(folder) != before


def test_a_probability_at_the_threshold_is_suspected() -> None:
    assert POINT.suspected(POINT.threshold)
    assert not POINT.suspected(math.nextafter(POINT.threshold, 0))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_calibration_keeps_the_order(one: float, other: float) -> None:
    calibrated = Calibration(1.5, -0.5)
    low, high = sorted([one, other])
    assert 0 <= calibrated.probability(low) <= calibrated.probability(high) <= 1


def test_reading_a_manifest_imports_no_torch() -> None:
    code = "import sys, inference.core.manifest as m; assert not {'torch', 'safetensors', 'django'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
