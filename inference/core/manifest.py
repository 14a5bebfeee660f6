"""What a model says of itself: the manifest of a model folder, read without torch.

A model is a folder of exactly three files: `manifest.json`, `backbone.safetensors` and `head.safetensors`. The
manifest names the digests of the other two, so a folder that reads well is byte for byte the one that was written.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import types
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from inference.core.preprocess import INPUT_SIZE, PREPROCESSING

MANIFEST, BACKBONE, HEAD = "manifest.json", "backbone.safetensors", "head.safetensors"
ARCHITECTURES = {"resnet50": 2048, "resnet18": 512}
"""Embedding dimension of each backbone."""
HEAD_KINDS = ("fontanelle", "gated", "abmil", "mean", "max", "dsmil", "transmil")
TRAINED_ON_KINDS = ("phantoms", "site")
LARGEST_MANIFEST = 1_000_000


class BadModel(Exception):
    """The folder is not a model that may score; the message says why."""


@dataclass(frozen=True)
class TrainedOn:
    """What a model has seen: `kind` is phantoms or site, `snapshot` a digest of the training set."""

    kind: str
    description: str
    snapshot: str
    patients: int
    positives: int


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of the members' mean logit: probability = sigmoid(slope * logit + intercept)."""

    slope: float
    intercept: float

    def probability(self, logit: float) -> float:
        """Calibrated probability of a mean logit, without overflow."""
        z = self.slope * logit + self.intercept
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


@dataclass(frozen=True)
class Achieved:
    """What an operating point measured: on out-of-fold scores, with the 95 % interval of its sensitivity."""

    sensitivity: float
    interval: tuple[float, float]
    specificity: float
    n_positive: int


@dataclass(frozen=True)
class OperatingPoint:
    """A named rule from score to flag: suspected when the calibrated probability is at or above the threshold."""

    threshold: float
    promise: str
    achieved: Achieved
    rule: str

    def suspected(self, probability: float) -> bool:
        """Whether a calibrated probability is flagged."""
        return probability >= self.threshold


@dataclass(frozen=True)
class Manifest:
    """Everything a score depends on beside the pixels."""

    name: str
    version: str
    created: str
    licence: str
    architecture: str
    head_kind: str
    members: int
    embedding_dim: int
    preprocessing: str
    input_size: int
    frame_budget: int
    backbone_digest: str
    head_digest: str
    trained_on: TrainedOn
    calibration: Calibration
    operating_points: dict[str, OperatingPoint]
    triage_point: str

    @property
    def triage(self) -> OperatingPoint:
        """The operating point that flags studies."""
        return self.operating_points[self.triage_point]

    def to_json(self) -> str:
        """The text of manifest.json; `parse_manifest` reads it back to an equal manifest."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, allow_nan=False) + "\n"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest_digest(folder: Path) -> str:
    """SHA-256 of a folder's manifest: the name of a model version, since the manifest names all other digests."""
    return file_digest(folder / MANIFEST)


def read_manifest(folder: Path, *, check_digests: bool = True) -> Manifest:
    """Read and check a model folder without torch.

    Raises BadModel with the reason if the folder holds anything but the three files, if the manifest is not exactly
    what `Manifest` describes, or if a file's digest differs from the one that the manifest names.
    """
    _check_files(folder)
    text = (folder / MANIFEST).read_bytes()
    if len(text) > LARGEST_MANIFEST:
        raise BadModel(f"{MANIFEST} is {len(text)} bytes long; a manifest has at most {LARGEST_MANIFEST}")
    manifest = parse_manifest(text)
    if check_digests:
        _check_digest(folder / BACKBONE, manifest.backbone_digest)
        _check_digest(folder / HEAD, manifest.head_digest)
    return manifest


def parse_manifest(text: bytes | str) -> Manifest:
    """Read a manifest from its JSON; raises BadModel naming the field that is missing, unknown or out of range."""
    try:
        data = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise BadModel(f"{MANIFEST} is not JSON: {error}") from error
    manifest: Manifest = _build(Manifest, data, "manifest")
    validate(manifest)
    return manifest


def validate(manifest: Manifest) -> None:
    """Raise BadModel if a manifest's values contradict each other or this code."""
    for holds, reason in _rules(manifest):
        if not holds:
            raise BadModel(reason)
    for name, point in manifest.operating_points.items():
        _validate_point(name, point)


def _rules(m: Manifest) -> list[tuple[bool, str]]:
    trained = m.trained_on
    dim = ARCHITECTURES.get(m.architecture)
    return [
        (bool(m.name and m.version), "the manifest names no model or no version"),
        (m.architecture in ARCHITECTURES, f"architecture {m.architecture!r} is not one of {sorted(ARCHITECTURES)}"),
        (m.head_kind in HEAD_KINDS, f"head kind {m.head_kind!r} is not one of {HEAD_KINDS}"),
        (1 <= m.members <= 100, f"{m.members} members; a model has 1 to 100"),
        (m.embedding_dim == dim, f"embedding_dim {m.embedding_dim}; the backbone gives {dim}"),
        (m.preprocessing == PREPROCESSING, f"preprocessing {m.preprocessing!r}; this engine does {PREPROCESSING!r}"),
        (m.input_size == INPUT_SIZE, f"input_size {m.input_size}; this engine prepares {INPUT_SIZE}"),
        (1 <= m.frame_budget <= 1024, f"frame_budget {m.frame_budget} is not within 1 to 1024"),
        (_is_digest(m.backbone_digest), "backbone_digest is not a SHA-256"),
        (_is_digest(m.head_digest), "head_digest is not a SHA-256"),
        (trained.kind in TRAINED_ON_KINDS, f"trained_on.kind {trained.kind!r} is not one of {TRAINED_ON_KINDS}"),
        (min(trained.positives, trained.patients) >= 0, "trained_on counts below zero"),
        (m.calibration.slope > 0, f"calibration slope {m.calibration.slope} would turn the ranking round"),
        (m.triage_point in m.operating_points, f"triage_point {m.triage_point!r} is not an operating point"),
    ]


def _validate_point(name: str, point: OperatingPoint) -> None:
    low, high = point.achieved.interval
    shares = (point.threshold, point.achieved.sensitivity, point.achieved.specificity, low, high)
    if not all(0 <= share <= 1 for share in shares):
        raise BadModel(f"operating point {name!r} has a value outside 0 to 1")
    if low > high or point.achieved.n_positive < 0:
        raise BadModel(f"operating point {name!r} has an impossible interval or count")


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise BadModel("there is no such model folder")
    names = {path.name for path in folder.iterdir()}
    expected = {MANIFEST, BACKBONE, HEAD}
    if missing := expected - names:
        raise BadModel(f"the model folder lacks {', '.join(sorted(missing))}")
    if extra := names - expected:
        raise BadModel(f"the model folder holds files that do not belong to a model: {', '.join(sorted(extra))}")
    for name in expected:
        if (folder / name).is_symlink() or not (folder / name).is_file():
            raise BadModel(f"{name} is not a plain file")


def _check_digest(path: Path, digest: str) -> None:
    actual = file_digest(path)
    if actual != digest:
        raise BadModel(f"{path.name} has digest {actual[:12]}…, the manifest names {digest[:12]}…")


def _is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields_by_name = dict(pairs)
    if len(fields_by_name) != len(pairs):
        raise ValueError("a field is given twice")
    return fields_by_name


def _build(kind: Any, value: Any, where: str) -> Any:
    """Make `kind` from JSON, exactly: no field missing, none unknown, no type bent except an integer to a float."""
    if is_dataclass(kind):
        return _build_record(kind, value, where)
    builder = _CONTAINERS.get(get_origin(kind) or kind, _build_plain)
    return builder(kind, value, where)


def _build_record(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise BadModel(f"{where} is not an object")
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}
    if missing := names - value.keys():
        raise BadModel(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown := value.keys() - names:
        raise BadModel(f"{where} has unknown fields: {', '.join(sorted(unknown))}")
    return kind(**{name: _build(hints[name], value[name], f"{where}.{name}") for name in names})


def _build_mapping(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise BadModel(f"{where} is not an object")
    return {key: _build(get_args(kind)[1], item, f"{where}.{key}") for key, item in value.items()}


def _build_tuple(kind: Any, value: Any, where: str) -> Any:
    kinds = get_args(kind)
    if not isinstance(value, list) or len(value) != len(kinds):
        raise BadModel(f"{where} is not a list of {len(kinds)}")
    return tuple(_build(part, item, where) for part, item in zip(kinds, value, strict=True))


def _build_float(kind: Any, value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadModel(f"{where} is not a number")
    if abs(value) > 1e300:
        raise BadModel(f"{where} is not a finite number")
    return float(value)


def _build_plain(kind: Any, value: Any, where: str) -> Any:
    if type(value) is not kind:
        raise BadModel(f"{where} is not {'text' if kind is str else 'a whole number'}")
    return value


_CONTAINERS: types.MappingProxyType[Any, Callable[[Any, Any, str], Any]] = types.MappingProxyType(
    {dict: _build_mapping, tuple: _build_tuple, float: _build_float}
)
