"""Scores a study: frames -> embeddings -> one calibrated probability and the attention of each frame.

The engine never sees DICOM: it takes what `preprocess.prepare` made. The same bytes give the same score, on the same
machine with the same number of threads.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inference.core.network import to_input
from inference.core.weights import LoadedModel

MICRO_BATCH = {"cpu": 16, "cuda": 64}
_NEIGHBOURS = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("0", "1"))
"""What torchvision calls a convolution and the normalisation after it; the last pair is in the shortcuts."""


@dataclass(frozen=True)
class BagScore:
    """One study's answer: the members' mean logit, its calibrated probability, `attention` float32 [N]."""

    logit: float
    probability: float
    attention: NDArray[np.float32]


class Engine:
    """A loaded model on a device, ready to score."""

    def __init__(self, model: LoadedModel, device: str | None = None) -> None:
        self.manifest = model.manifest
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.dtype = compute_dtype(self.device)
        self.backbone = fuse(model.backbone).to(self.device).to(memory_format=torch.channels_last)
        self.heads = tuple(copy.deepcopy(head).to(self.device).eval() for head in model.heads)

    @torch.inference_mode()
    def embed(self, frames: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Embed prepared frames uint8 [N, S, S] -> float16 [N, D]; raises ValueError for any other array."""
        size = self.manifest.input_size
        if frames.dtype != np.uint8 or frames.ndim != 3 or frames.shape[1:] != (size, size):
            raise ValueError(f"frames are uint8 [N, {size}, {size}], not {frames.dtype} {list(frames.shape)}")
        batches = torch.split(torch.from_numpy(np.array(frames)), MICRO_BATCH[self.device.type])
        parts = [self._embed_batch(batch) for batch in batches if len(batch)]  # each [B, D]
        if not parts:
            return np.zeros((0, self.manifest.embedding_dim), dtype=np.float16)
        return torch.cat(parts).numpy()

    def _embed_batch(self, frames: Tensor) -> Tensor:
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            embedded: Tensor = self.backbone(to_input(frames.to(self.device)))  # [B, D]
        limit = torch.finfo(torch.float16).max
        return embedded.float().clamp(-limit, limit).to(torch.float16).cpu()

    @torch.inference_mode()
    def score(self, embeddings: NDArray[np.floating]) -> BagScore:
        """Pool the embeddings [N, D] of one study; without any frame the score is the heads' constant answer."""
        if embeddings.ndim != 2 or embeddings.shape[1] != self.manifest.embedding_dim:
            raise ValueError(f"embeddings are [N, {self.manifest.embedding_dim}], not {list(embeddings.shape)}")
        bag = torch.from_numpy(embeddings.astype(np.float32)).unsqueeze(0).to(self.device)  # [1, N, D]
        outputs = [head(*_with_place(bag)) for head in self.heads]
        logit = torch.stack([output.logit for output in outputs]).mean().item()
        attention = torch.stack([output.attention[0] for output in outputs]).mean(dim=0)  # [N] or [1]
        probability = self.manifest.calibration.probability(logit)
        return BagScore(logit, probability, attention[: len(embeddings)].cpu().numpy())


def _with_place(bag: Tensor) -> tuple[Tensor, Tensor]:
    """A bag [1, N, D] and its mask; an empty one gets a single masked place, since pooling needs one."""
    if bag.shape[1] == 0:
        bag = bag.new_zeros((1, 1, bag.shape[2]))
        return bag, torch.zeros(bag.shape[:2], dtype=torch.bool, device=bag.device)
    return bag, torch.ones(bag.shape[:2], dtype=torch.bool, device=bag.device)


def compute_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, else float32: emulated, it is ten times slower than float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def fuse(network: nn.Module) -> nn.Module:
    """A copy of a ResNet in evaluation mode with each batch normalisation folded into the convolution before it."""
    fused = copy.deepcopy(network).eval()
    for module in list(fused.modules()):
        children = dict(module.named_children())
        for conv_name, norm_name in _NEIGHBOURS:
            conv, norm = children.get(conv_name), children.get(norm_name)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
    return fused
