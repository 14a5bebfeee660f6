"""Weights are exactly those of the network, or they are refused with a reason."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from inference.core.manifest import BACKBONE, HEAD, MANIFEST, BadModel, file_digest
from inference.core.network import backbone, head
from inference.core.weights import load_backbone, read_model, save_backbone, write_model
from tests.inference.core.tiny_model import edit, manifest, write_tiny


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "model"
    write_tiny(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "model")
    return tmp_path / "model"


def _rewrite(folder: Path, name: str, body: bytes) -> None:
    """Replace a file and make the manifest name it, as a careful forger would."""
    (folder / name).write_bytes(body)
    edit(folder, **{"backbone_digest" if name == BACKBONE else "head_digest": file_digest(folder / name)})


def _tensors(folder: Path, name: str) -> dict[str, Tensor]:
    return safetensors.torch.load((folder / name).read_bytes())


def test_what_was_written_reads_back(written: Path) -> None:
    model = read_model(written)
    assert len(model.heads) == model.manifest.members == 2
    assert not model.backbone.training
    assert not model.heads[0].training


def test_heads_keep_every_bit_of_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(1)
    heads = [head("abmil", 512).half().float()]
    write_model(tmp_path, manifest=manifest(head_kind="abmil"), backbone=backbone("resnet18"), heads=heads)
    bags, mask = torch.randn(2, 3, 512), torch.ones(2, 3, dtype=torch.bool)
    assert torch.equal(read_model(tmp_path).heads[0](bags, mask).logit, heads[0].eval()(bags, mask).logit)


def test_a_projection_that_members_share_is_written_once_and_read_by_all(tmp_path: Path) -> None:
    first, second, other = (head("fontanelle", 512).half().float() for _ in range(3))
    second.project.load_state_dict(first.project.state_dict())
    made = [first, second, other]
    write_model(tmp_path, manifest=manifest(head_kind="fontanelle"), backbone=backbone("resnet18"), heads=made)
    assert [f"{member}.project.weight" in _tensors(tmp_path, HEAD) for member in range(3)] == [True, False, True]
    for read, written in zip(read_model(tmp_path).heads, made, strict=True):
        assert torch.equal(read.project.weight, written.project.weight)


def test_members_none_of_whom_has_a_projection_are_refused(folder: Path) -> None:
    tensors = {key: value for key, value in _tensors(folder, HEAD).items() if ".project." not in key}
    _rewrite(folder, HEAD, safetensors.torch.save(tensors))
    with pytest.raises(BadModel, match=r"lacks 4 tensors, 0\.project\.bias"):
        read_model(folder)


@pytest.mark.parametrize("name", [BACKBONE, HEAD])
def test_a_pickle_is_refused(folder: Path, name: str) -> None:
    _rewrite(folder, name, pickle.dumps({"0.project.weight": [1.0]}))
    with pytest.raises(BadModel, match="not a whole safetensors file"):
        read_model(folder)


@pytest.mark.parametrize("name", [BACKBONE, HEAD])
@pytest.mark.parametrize("keep", [0, 4, 1000, -1])
def test_a_truncated_file_is_refused(folder: Path, name: str, keep: int) -> None:
    _rewrite(folder, name, (folder / name).read_bytes()[:keep])
    with pytest.raises(BadModel, match="not a whole safetensors file"):
        read_model(folder)


@pytest.mark.parametrize("name", [BACKBONE, HEAD])
def test_other_bytes_under_the_same_manifest_are_refused(folder: Path, name: str) -> None:
    body = bytearray((folder / name).read_bytes())
    body[-1] ^= 1
    (folder / name).write_bytes(body)
    with pytest.raises(BadModel, match="has digest"):
        read_model(folder)


def test_a_missing_tensor_is_refused(folder: Path) -> None:
    tensors = _tensors(folder, HEAD)
    del tensors["1.pool.score.bias"]
    _rewrite(folder, HEAD, safetensors.torch.save(tensors))
    with pytest.raises(BadModel, match=r"lacks 1 tensors, 1\.pool\.score\.bias"):
        read_model(folder)


def test_a_tensor_too_many_is_refused(folder: Path) -> None:
    tensors = _tensors(folder, BACKBONE) | {"fc.weight": torch.zeros(1, dtype=torch.float16)}
    _rewrite(folder, BACKBONE, safetensors.torch.save(tensors))
    with pytest.raises(BadModel, match=r"that the network lacks, fc\.weight"):
        read_model(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(folder: Path, value: float) -> None:
    tensors = _tensors(folder, BACKBONE)
    tensors["layer4.0.conv1.weight"][0, 0, 0, 0] = value
    _rewrite(folder, BACKBONE, safetensors.torch.save(tensors))
    with pytest.raises(BadModel, match="not finite"):
        read_model(folder)


def test_another_shape_is_refused(folder: Path) -> None:
    tensors = _tensors(folder, HEAD) | {"0.pool.score.bias": torch.zeros(2)}
    _rewrite(folder, HEAD, safetensors.torch.save(tensors))
    with pytest.raises(BadModel, match=r"has shape \[2\]"):
        read_model(folder)


def test_another_precision_is_refused(folder: Path) -> None:
    tensors = _tensors(folder, HEAD)
    _rewrite(folder, HEAD, safetensors.torch.save({key: value.double() for key, value in tensors.items()}))
    with pytest.raises(BadModel, match="float64"):
        read_model(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"members": 3}, "lacks"),
        ({"members": 1}, "that the network lacks"),
        ({"head_kind": "mean"}, "that the network lacks"),
        ({"architecture": "resnet50", "embedding_dim": 2048}, "lacks"),
    ],
)
def test_weights_of_another_network_are_refused(folder: Path, changes: dict[str, object], reason: str) -> None:
    edit(folder, **changes)
    with pytest.raises(BadModel, match=reason):
        read_model(folder)


def test_nothing_is_written_that_would_be_refused(tmp_path: Path) -> None:
    broken = backbone("resnet18")
    torch.nn.init.constant_(broken.conv1.weight, float("nan"))  # type: ignore[union-attr, arg-type]
    with pytest.raises(BadModel, match="not finite"):
        write_model(tmp_path / "model", manifest=manifest(), backbone=broken, heads=[head("gated", 512)])
    assert not (tmp_path / "model" / MANIFEST).exists()


def test_a_backbone_alone_reads_back(tmp_path: Path) -> None:
    network = backbone("resnet18")
    save_backbone(tmp_path / "backbone.safetensors", network)
    loaded = load_backbone(tmp_path / "backbone.safetensors", "resnet18").state_dict()
    assert torch.equal(loaded["conv1.weight"], network.state_dict()["conv1.weight"].half().float())


def test_a_backbone_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_backbone(tmp_path / "backbone.safetensors", backbone("resnet18"))
    with pytest.raises(BadModel, match="lacks"):
        load_backbone(tmp_path / "backbone.safetensors", "resnet50")
