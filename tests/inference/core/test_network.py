"""What every head keeps to, whatever its weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from inference.core.manifest import HEAD_KINDS
from inference.core.network import BagHead, backbone, head, masked_softmax, to_input

DIM = 12
KINDS = st.sampled_from(HEAD_KINDS)
UNORDERED = st.sampled_from([kind for kind in HEAD_KINDS if kind != "fontanelle"])
"""Kinds that take a study as a set; `fontanelle` knows which frames are neighbours."""
SEEDS = st.integers(0, 10_000)


def _head(kind: str) -> BagHead:
    torch.manual_seed(3)
    return head(kind, DIM, width=8, hidden=6).eval()


def _bags(seed: int, count: int = 4, frames: int = 7) -> tuple[Tensor, Tensor]:
    """Random bags [M, N, D] with 1 to N real frames each."""
    source = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, frames + 1, (count, 1), generator=source)
    return torch.randn(count, frames, DIM, generator=source), torch.arange(frames) < sizes


@settings(deadline=None, max_examples=30)
@given(KINDS, SEEDS)
def test_attention_sums_to_one_over_real_frames_and_is_zero_elsewhere(kind: str, seed: int) -> None:
    bags, mask = _bags(seed)
    attention = _head(kind)(bags, mask).attention
    assert torch.allclose(attention.sum(dim=1), torch.ones(len(bags)), atol=1e-5)
    assert (attention[~mask] == 0).all()


@settings(deadline=None, max_examples=30)
@given(UNORDERED, SEEDS)
def test_the_order_of_frames_changes_nothing(kind: str, seed: int) -> None:
    bags, mask = _bags(seed)
    order = torch.randperm(bags.shape[1], generator=torch.Generator().manual_seed(seed))
    plain, turned = _head(kind)(bags, mask), _head(kind)(bags[:, order], mask[:, order])
    assert torch.allclose(plain.logit, turned.logit, atol=1e-5)
    assert torch.allclose(plain.attention[:, order], turned.attention, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(KINDS, SEEDS)
def test_a_sweep_scanned_the_other_way_round_is_the_same_study(kind: str, seed: int) -> None:
    bags, mask = _bags(seed)
    plain, turned = _head(kind)(bags, mask), _head(kind)(bags.flip(1), mask.flip(1))
    assert torch.allclose(plain.logit, turned.logit, atol=1e-5)
    assert torch.allclose(plain.attention.flip(1), turned.attention, atol=1e-5)


def test_smoothing_gives_a_frame_the_attention_of_its_neighbours() -> None:
    """Of two frames alike, the one beside a frame that draws attention gets more."""
    bags = torch.zeros(1, 6, DIM)
    bags[0, 1] = 30
    attention = _head("fontanelle")(bags, torch.ones(1, 6, dtype=torch.bool)).attention[0]
    towards = attention[1] > attention[5]
    assert (attention[2] > attention[5]) == towards
    assert not torch.isclose(attention[2], attention[5])


@settings(deadline=None, max_examples=30)
@given(KINDS, SEEDS, st.integers(1, 9), st.sampled_from([0.0, 1e30, float("nan"), float("inf")]))
def test_padding_changes_nothing_whatever_it_holds(kind: str, seed: int, extra: int, content: float) -> None:
    bags, mask = _bags(seed)
    padded = torch.cat([bags, torch.full((len(bags), extra, DIM), content)], dim=1)
    longer = torch.cat([mask, torch.zeros(len(bags), extra, dtype=torch.bool)], dim=1)
    plain, more = _head(kind)(bags, mask), _head(kind)(padded, longer)
    assert torch.allclose(plain.logit, more.logit, atol=1e-5)
    assert (more.attention[:, bags.shape[1] :] == 0).all()


@settings(deadline=None, max_examples=30)
@given(UNORDERED, SEEDS)
def test_every_frame_twice_is_the_same_study(kind: str, seed: int) -> None:
    bags, mask = _bags(seed)
    plain = _head(kind)(bags, mask)
    double = _head(kind)(torch.cat([bags, bags], dim=1), torch.cat([mask, mask], dim=1))
    assert torch.allclose(plain.logit, double.logit, atol=1e-5)
    assert torch.allclose(plain.attention, 2 * double.attention[:, : bags.shape[1]], atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(KINDS, SEEDS)
def test_a_bag_scores_alone_as_in_company(kind: str, seed: int) -> None:
    bags, mask = _bags(seed)
    together = _head(kind)(bags, mask).logit
    alone = torch.cat([_head(kind)(bags[place : place + 1], mask[place : place + 1]).logit for place in range(4)])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_a_bag_without_frames_has_a_finite_logit_and_no_attention(kind: str) -> None:
    bags = torch.full((2, 5, DIM), float("nan"))
    output = _head(kind)(bags, torch.zeros(2, 5, dtype=torch.bool))
    assert torch.isfinite(output.logit).all()
    assert (output.attention == 0).all()


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_one_frame_takes_all_attention(kind: str) -> None:
    output = _head(kind)(torch.randn(1, 1, DIM), torch.ones(1, 1, dtype=torch.bool))
    assert output.attention.tolist() == [[1.0]]


@settings(deadline=None, max_examples=20)
@given(KINDS, SEEDS, st.sampled_from([1e-30, 1e4, 6e4]))
def test_outputs_stay_finite(kind: str, seed: int, scale: float) -> None:
    bags, mask = _bags(seed)
    output = _head(kind)(bags * scale, mask)
    assert torch.isfinite(output.logit).all()
    assert torch.isfinite(output.attention).all()


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_gradients_reach_every_weight(kind: str) -> None:
    bags, mask = _bags(1, count=16)
    network = _head(kind)
    network(bags, mask).logit.square().sum().backward()
    bias_of_softmax = {"pool.weigh.bias"}  # a softmax ignores what is added to all its inputs
    dead = {name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()}
    assert dead <= bias_of_softmax


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_gradients_stay_finite_beside_a_bag_without_frames(kind: str) -> None:
    bags, mask = _bags(2)
    mask[0] = False
    network = _head(kind)
    network(bags, mask).logit.sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters() if weight.grad is not None)


@pytest.mark.parametrize(("kind", "looks_at"), [("gated", 1), ("abmil", 1), ("max", 1)])
def test_a_head_can_look_at_one_frame(kind: str, looks_at: int) -> None:
    bags = torch.zeros(1, 5, DIM)
    bags[0, looks_at] = 30
    attention = _head(kind)(bags, torch.ones(1, 5, dtype=torch.bool)).attention[0]
    others = attention[torch.arange(5) != looks_at]
    assert torch.allclose(others, others[:1].expand(4))
    assert not torch.isclose(attention[looks_at], others[0])


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_a_shifted_head_gives_shifted_logits_and_the_same_attention(kind: str) -> None:
    bags, mask = _bags(5)
    plain, moved = _head(kind), _head(kind)
    moved.shift(0.7, 1.6)
    before, after = plain(bags, mask), moved(bags, mask)
    assert torch.allclose(after.logit, (before.logit - 0.7) / 1.6, atol=1e-5)
    assert torch.allclose(after.attention, before.attention, atol=1e-6)


def test_softmax_over_nothing_is_nothing() -> None:
    assert masked_softmax(torch.randn(2, 3), torch.zeros(2, 3, dtype=torch.bool)).tolist() == [[0.0] * 3] * 2


def test_the_backbone_embeds_grey_frames() -> None:
    frames = torch.randint(0, 255, (2, 64, 64), dtype=torch.uint8)
    assert backbone("resnet18").eval()(to_input(frames)).shape == (2, 512)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="head kind"):
        head("oracle", DIM)
    with pytest.raises(ValueError, match="architecture"):
        backbone("vgg")
