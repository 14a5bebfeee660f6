"""A cache of the heads that a run has fitted, until its report is written: a killed run goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from common.atomic_file import replacing
from inference.core.network import BagHead
from training.core.heads import Projection, new_head


@dataclass(frozen=True)
class FitCache:
    """A folder of one run's heads, one file each, by the number of the fit. It is made with the first of them.

    The projection is found again from the bags, which takes a moment; every fit has a seed of its own. So what is read
    is bit by bit what would be fitted, and all that follows is the same.
    """

    folder: Path

    def head(self, number: int, projection: Projection, kind: str, make: Callable[[], BagHead]) -> BagHead:
        """The head of that number, from its file or made now and written to it."""
        path = self.folder / f"{number:05d}.safetensors"
        if path.exists() and (cached := _read(path, projection, kind)) is not None:
            return cached
        fitted = make()
        _write(path, fitted)
        return fitted


def run_digest(bags: str, options: Iterable[object], arrays: Iterable[NDArray[Any]]) -> str:
    """What names a run: its bags, its options, its splits, and the torch that it runs with."""
    digest = hashlib.sha256(repr((bags, *options, torch.__version__)).encode())
    for array in arrays:
        digest.update(f"\0{array.dtype}{array.shape}\0".encode() + array.tobytes())
    return digest.hexdigest()


def _read(path: Path, projection: Projection, kind: str) -> BagHead | None:
    """None for a file that is not what this run would have written."""
    with torch.random.fork_rng(devices=[]):
        network = new_head(projection, kind)
    try:
        tensors = safetensors.torch.load(path.read_bytes())
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except (SafetensorError, OSError, RuntimeError):
        return None
    fitted = [name for name in missing if not name.startswith("project.")]
    return None if fitted or unexpected else network.eval()


def _write(path: Path, network: BagHead) -> None:
    weights = network.state_dict().items()
    tensors = {name: weight.contiguous() for name, weight in weights if not name.startswith("project.")}
    with replacing(path, durable=True) as file:
        file.write(safetensors.torch.save(tensors))
