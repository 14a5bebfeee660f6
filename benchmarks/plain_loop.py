"""The peer of main.score_48_frames: pydicom decodes, a fp32 ResNet-50 sees one frame after another, their mean."""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from PIL import Image
from pydicom import dcmread  # noqa: TID251  our own file, in a process of its own
from torchvision.models import resnet50


@torch.inference_mode()
def seconds(path: str) -> float:
    """Wall time from the file's bytes to the mean embedding of its frames."""
    network = resnet50(weights=None).eval()
    network(torch.zeros(1, 3, 128, 128))
    began = time.perf_counter()
    frames = dcmread(path).pixel_array
    embeddings = [network(_prepared(frame)) for frame in frames]
    torch.cat(embeddings).mean(0)
    return time.perf_counter() - began


def _prepared(frame: np.ndarray) -> torch.Tensor:
    """[H, W] or [H, W, 3] uint8 -> [1, 3, 128, 128] float32 in 0..1."""
    small = Image.fromarray(frame).convert("L").resize((128, 128), Image.Resampling.BOX)
    grey = torch.from_numpy(np.asarray(small, dtype=np.float32) / 255)
    return grey.expand(1, 3, -1, -1)


if __name__ == "__main__":
    print(seconds(sys.argv[1]))
