"""Classical tables of multiple-instance learning, by the protocol that (gated) ABMIL was published with.

Ilse, Tomczak and Welling 2018 (arXiv 1802.04712): three layers before the attention, one bag a step, 100 epochs of SGD
with momentum. What is fitted are this house's own heads; a trainer of its own takes so many small steps that the fits
of a cross-validation are taken together, which is half as long on one core as one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import binary_cross_entropy_with_logits

from common.atomic_file import replacing
from inference.core.network import BagHead, BagOutput, head
from training.core.bags import Bags, Embeddings, load, load_train_masks
from training.core.fit_cache import run_digest
from training.core.heads import Indices, Projection, one_thread, outputs, project
from training.core.metrics import Floats


@dataclass(frozen=True)
class Published:
    """The publication's hyperparameters; nothing here was chosen on any fold of these tables.

    The last epoch's weights are kept. Bags with a probability of at least one half are called positive.
    """

    rate: float = 5e-4
    weight_decay: float = 5e-3
    momentum: float = 0.9
    epochs: int = 100
    layers: tuple[int, ...] = (256, 128)
    dropout: float = 0.5


@dataclass(frozen=True)
class Table:
    """A table with its hyperparameters and what was published: accuracy and its ± for each kind of head."""

    name: str
    fit: Published
    published: dict[str, tuple[float, float]]


TABLES = (
    Table("Musk1", Published(), {"abmil": (0.892, 0.040), "gated": (0.900, 0.050)}),
    Table("Elephant", Published(rate=1e-4), {"abmil": (0.868, 0.022), "gated": (0.857, 0.027)}),
)


def measure(folder: Path, work: Path, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Accuracy of ABMIL and gated ABMIL on each table's own folds; each repeat is kept in `work` once it is fitted.

    Raises ValueError or OSError for a file that is none of the tables.
    """
    figures: dict[str, Any] = {}
    for table in TABLES:
        path = folder / f"{table.name}.npz"
        bags, masks = load(path), load_train_masks(path)
        if masks is None:
            raise ValueError(f"{path.name} lacks train_masks")
        for kind, (accuracy, margin) in table.published.items():
            folds = _fold_accuracies(work, bags, masks, kind=kind, fit=table.fit, say=say)
            figures[f"{table.name}, {kind}"] = row = {**spread(folds), "published": accuracy, "margin": margin}
            say(f"{table.name}, {kind}: accuracy {row['mean']:.3f}, SD over repeats {row['sd']:.3f}")
    return figures


def _fold_accuracies(
    work: Path, bags: Bags, masks: NDArray[np.bool_], *, kind: str, fit: Published, say: Callable[[str], None]
) -> Floats:
    """Accuracy on each fold [repeats, folds], from `work` where these very fits were made before."""
    rows = []
    for repeat, folds in enumerate(masks):
        path = work / f"classic-{run_digest(bags.digest, (kind, fit, repeat), [folds])[:16]}.npy"
        if not path.exists():
            with replacing(path) as file:
                np.save(file, accuracies(bags, folds, kind=kind, fit=fit, seed=repeat))
            say(f"{kind}, repeat {repeat}: accuracy {np.load(path).mean():.3f}")
        rows.append(np.load(path))
    return np.stack(rows)


def spread(folds: Floats) -> dict[str, Any]:
    """Mean accuracy, the repeats' own and their SD, and the SD over all folds, from accuracies [repeats, folds]."""
    repeats = folds.mean(axis=1)
    return {
        "mean": float(repeats.mean()),
        "sd": float(repeats.std(ddof=1)),
        "fold_sd": float(folds.std(ddof=1)),
        "repeats": repeats.tolist(),
    }


def accuracies(bags: Bags, folds: NDArray[np.bool_], *, kind: str, fit: Published, seed: int) -> Floats:
    """Accuracy on the rest of each fold, [folds]; `folds` [folds, M] are true where a bag is trained on."""
    shares = np.zeros(len(folds))
    sizes = folds.sum(axis=1)
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        trains = [np.flatnonzero(folds[fold]) for fold in alike]
        for fold, network in zip(alike, fit_together(bags, trains, kind=kind, fit=fit, seed=seed), strict=True):
            shares[fold] = _accuracy(network, bags, np.flatnonzero(~folds[fold]))
    return shares


def _accuracy(network: BagHead, bags: Bags, tested: Indices) -> float:
    """The share of the bags named by `tested` that are called what they are."""
    data = project(bags.embeddings, Projection(network.project.weight.detach(), network.project.bias.detach()))
    return float(((outputs(network, data, tested).logit >= 0).numpy() == bags.y[tested]).mean())


def standardise(embeddings: Sequence[Embeddings], indices: Indices) -> Projection:
    """Mean 0 and spread 1 over the instances of the bags named by `indices`; what never varies gets no weight."""
    rows = torch.from_numpy(np.concatenate([embeddings[index] for index in indices]).astype(np.float32))  # [sum n, D]
    sd, mean = torch.std_mean(rows, dim=0, correction=0)  # [D]
    scale = torch.where(sd > 1e-6, 1 / sd.clamp_min(1e-6), 0)
    return Projection(torch.diag(scale), -mean * scale)


def fit_together(bags: Bags, trains: Sequence[Indices], *, kind: str, fit: Published, seed: int) -> list[BagHead]:
    """Fit one head on each part of `trains`, equally many bags each, all at once.

    All begin at the same weights. At each step every fit sees the bag that has the same place in its own part, ordered
    by size, so that bags of a step are about equally large: for each fit alone the order is as random as any.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _fresh(kind, bags.dim, fit)
        projections = [standardise(bags.embeddings, train) for train in trains]
        trained = _train(network, list(_steps(bags, trains, projections)), fits=len(trains), fit=fit)
    return [_member(network, projection, trained, place) for place, projection in enumerate(projections)]


def _fresh(kind: str, dim: int, fit: Published) -> BagHead:
    """A head as published: Glorot's uniform weights, no bias yet."""
    network = head(kind, dim, width=dim, layers=fit.layers, dropout=fit.dropout)
    for part in (*network.encode.modules(), *network.pool.modules()):
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)
    return network


@dataclass(frozen=True)
class _Step:
    """One bag of each of K fits: `values` [K, 1, N, D], `mask` [K, 1, N], `goal` [K, 1]."""

    values: Tensor
    mask: Tensor
    goal: Tensor


def _steps(bags: Bags, trains: Sequence[Indices], projections: Sequence[Projection]) -> Iterator[_Step]:
    """The bags of an epoch, ordered by size, padded to the largest of their step alone."""
    sizes = np.array([len(bag) for bag in bags.embeddings])
    ordered = np.stack([train[np.argsort(sizes[train], kind="stable")] for train in trains])  # [K, S]
    data = [project(bags.embeddings, projection) for projection in projections]
    for column in ordered.T:
        longest = max(1, int(sizes[column].max()))
        yield _Step(
            torch.stack(
                [projected.values[index, None, :longest] for projected, index in zip(data, column, strict=True)]
            ),
            data[0].mask[column, None, :longest],
            torch.from_numpy(bags.fitted_on[column, None]).float(),
        )


Parameters = dict[str, Tensor]


def _train(network: BagHead, steps: Sequence[_Step], *, fits: int, fit: Published) -> Parameters:
    """The weights of K fits after the last epoch, each with K in front."""
    inside = _AfterProjection(network).train()
    weights = {
        name: torch.stack([weight.detach()] * fits).requires_grad_() for name, weight in inside.named_parameters()
    }
    optimiser = torch.optim.SGD(
        weights.values(), lr=fit.rate, momentum=fit.momentum, weight_decay=fit.weight_decay, fused=True
    )

    def logit(own: Parameters, values: Tensor, mask: Tensor) -> Tensor:
        output: BagOutput = functional_call(inside, own, (values, mask))
        return output.logit

    together = vmap(logit, randomness="same")
    for _ in range(fit.epochs):
        for place in torch.randperm(len(steps)).tolist():
            step = steps[place]
            logits = together(weights, step.values, step.mask)  # [K, 1]
            loss = binary_cross_entropy_with_logits(logits, step.goal, reduction="sum")
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    return weights


class _AfterProjection(nn.Module):
    """What of a head is trained."""

    def __init__(self, network: BagHead) -> None:
        super().__init__()
        self.encode, self.pool = network.encode, network.pool

    def forward(self, values: Tensor, mask: Tensor) -> BagOutput:
        output: BagOutput = self.pool(self.encode(values), mask)
        return output


def _member(network: BagHead, projection: Projection, weights: Parameters, place: int) -> BagHead:
    """One of the fits as a head that stands alone."""
    member = deepcopy(network)
    own = {name: value[place].detach().clone() for name, value in weights.items()}
    member.load_state_dict({**own, "project.weight": projection.weight, "project.bias": projection.bias})
    return member.eval()
