"""Model folders: weights as safetensors, checked tensor by tensor against the network that they are for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from inference.core.manifest import BACKBONE, HEAD, MANIFEST, BadModel, Manifest, read_manifest, validate
from inference.core.network import BagHead, backbone
from inference.core.network import head as make_head

__all__ = ["BadModel", "LoadedModel", "load_backbone", "read_model", "save_backbone", "write_model"]

_PROJECTION = "project."
_COUNTER = "num_batches_tracked"
"""Batch normalisation counts its training batches; inference never reads the count, so it is not kept."""


@dataclass(frozen=True)
class LoadedModel:
    """A checked model in evaluation mode: one backbone, and the members of the ensemble of heads."""

    manifest: Manifest
    backbone: nn.Module
    heads: tuple[BagHead, ...]


def write_model(folder: Path, *, manifest: Manifest, backbone: nn.Module, heads: Sequence[BagHead]) -> Manifest:
    """Write a model folder; returns the manifest as written, with the two digests and the member count filled in.

    Raises BadModel, writing nothing, if the manifest or the weights would be refused on reading.
    """
    body = safetensors.torch.save(_backbone_tensors(backbone))
    heads_body = safetensors.torch.save(_head_tensors(heads))
    filled = replace(manifest, backbone_digest=_sha256(body), head_digest=_sha256(heads_body), members=len(heads))
    validate(filled)
    _load_backbone(body, filled.architecture)
    _load_heads(heads_body, filled)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BACKBONE).write_bytes(body)
    (folder / HEAD).write_bytes(heads_body)
    (folder / MANIFEST).write_text(filled.to_json())
    return filled


def read_model(folder: Path) -> LoadedModel:
    """Read a model folder; raises BadModel with the reason if anything in it is not exactly as it should be."""
    manifest = read_manifest(folder, check_digests=False)
    body = _read(folder / BACKBONE, manifest.backbone_digest)
    heads_body = _read(folder / HEAD, manifest.head_digest)
    return LoadedModel(manifest, _load_backbone(body, manifest.architecture), _load_heads(heads_body, manifest))


def save_backbone(path: Path, network: nn.Module) -> None:
    """Write a backbone alone, as fp16 safetensors."""
    path.write_bytes(safetensors.torch.save(_backbone_tensors(network)))


def load_backbone(path: Path, architecture: str = "resnet50") -> nn.Module:
    """Read a backbone written by `save_backbone` or of a model folder; raises BadModel for any other file."""
    return _load_backbone(path.read_bytes(), architecture)


def _read(path: Path, digest: str) -> bytes:
    """The bytes that were checked are the bytes that are used: a file cannot change in between."""
    body = path.read_bytes()
    if _sha256(body) != digest:
        raise BadModel(f"{path.name} has digest {_sha256(body)[:12]}…, the manifest names {digest[:12]}…")
    return body


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _backbone_tensors(network: nn.Module) -> dict[str, Tensor]:
    tensors = {key: value for key, value in network.state_dict().items() if not key.endswith(_COUNTER)}
    return {key: value.detach().cpu().to(torch.float16).contiguous() for key, value in tensors.items()}


def _head_tensors(heads: Sequence[BagHead]) -> dict[str, Tensor]:
    """A member with the same projection as the one before it leaves it out: it is nine tenths of a head."""
    return {
        f"{member}.{key}": value.detach().cpu().to(torch.float16).contiguous()
        for member, head in enumerate(heads)
        for key, value in head.state_dict().items()
        if not (member and key.startswith(_PROJECTION) and _same_projection(head, heads[member - 1]))
    }


def _same_projection(head: BagHead, other: BagHead) -> bool:
    return all(torch.equal(a, b) for a, b in zip(head.project.parameters(), other.project.parameters(), strict=True))


def _load_backbone(body: bytes, architecture: str) -> nn.Module:
    network = backbone(architecture)
    tensors = _tensors(body, BACKBONE)
    expected = {key: value for key, value in network.state_dict().items() if not key.endswith(_COUNTER)}
    _check_tensors(tensors, expected, name=BACKBONE, dtype=torch.float16)
    network.load_state_dict(tensors, strict=False)
    return network.eval()


def _load_heads(body: bytes, manifest: Manifest) -> tuple[BagHead, ...]:
    heads = tuple(make_head(manifest.head_kind, manifest.embedding_dim) for _ in range(manifest.members))
    tensors = _with_projections(_tensors(body, HEAD), heads)
    _check_tensors(tensors, _head_tensors(heads), name=HEAD, dtype=torch.float16)
    for member, head in enumerate(heads):
        head.load_state_dict({key: tensors[f"{member}.{key}"] for key in head.state_dict()})
        head.eval()
    return heads


def _with_projections(tensors: dict[str, Tensor], heads: Sequence[BagHead]) -> dict[str, Tensor]:
    """Give every member that names no projection that of the member before it."""
    whole = dict(tensors)
    for member, head in enumerate(heads[1:], start=1):
        keys = [key for key in head.state_dict() if key.startswith(_PROJECTION)]
        if not any(f"{member}.{key}" in whole for key in keys):
            whole |= {f"{member}.{key}": whole[f"{member - 1}.{key}"] for key in keys if f"{member - 1}.{key}" in whole}
    return whole


def _tensors(body: bytes, name: str) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(body)
    except (SafetensorError, ValueError, KeyError) as error:
        raise BadModel(f"{name} is not a whole safetensors file: {error}") from error
    return tensors


def _check_tensors(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, name: str, dtype: torch.dtype
) -> None:
    if missing := expected.keys() - tensors.keys():
        raise BadModel(f"{name} lacks {len(missing)} tensors, {sorted(missing)[0]} among them")
    if extra := tensors.keys() - expected.keys():
        raise BadModel(f"{name} has {len(extra)} tensors that the network lacks, {sorted(extra)[0]} among them")
    for key, value in tensors.items():
        _check_tensor(f"{name}: {key}", value, shape=expected[key].shape, dtype=dtype)


def _check_tensor(where: str, value: Tensor, *, shape: torch.Size, dtype: torch.dtype) -> None:
    if value.shape != shape:
        raise BadModel(f"{where} has shape {list(value.shape)}, the network {list(shape)}")
    if value.dtype != dtype:
        raise BadModel(f"{where} is {value.dtype}, not {dtype}")
    if not torch.isfinite(value).all():
        raise BadModel(f"{where} holds numbers that are not finite")
