"""From frames to a score."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from inference.core.engine import Engine, compute_dtype, fuse
from inference.core.network import backbone, to_input
from inference.core.weights import LoadedModel, read_model
from tests.inference.core.tiny_model import write_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("engine") / "model"
    write_tiny(folder)
    return read_model(folder)


@pytest.fixture(scope="module")
def engine(model: LoadedModel) -> Engine:
    return Engine(model, "cpu")


@pytest.fixture(scope="module")
def frames() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (20, 128, 128), dtype=np.uint8)


def test_the_same_frames_get_the_same_score_to_the_bit(model: LoadedModel, frames: NDArray[np.uint8]) -> None:
    first, second = Engine(model, "cpu"), Engine(model, "cpu")
    one, other = first.score(first.embed(frames)), second.score(second.embed(frames.copy()))
    assert (one.logit, one.probability) == (other.logit, other.probability)
    assert np.array_equal(one.attention, other.attention)


def test_embeddings_are_those_of_the_plain_network(
    model: LoadedModel, engine: Engine, frames: NDArray[np.uint8]
) -> None:
    with torch.inference_mode():
        plain = model.backbone(to_input(torch.from_numpy(frames))).numpy()  # [20, 512]
    if engine.dtype == torch.float32:
        assert np.allclose(engine.embed(frames), plain, rtol=2e-3, atol=2e-3 * plain.std())
    assert np.corrcoef(engine.embed(frames).ravel().astype(float), plain.ravel())[0, 1] > 0.99


def test_scoring_leaves_the_model_as_it_was(model: LoadedModel, frames: NDArray[np.uint8]) -> None:
    before = {key: value.clone() for key, value in model.backbone.state_dict().items()}
    Engine(model, "cpu").embed(frames[:2])
    assert all(torch.equal(value, before[key]) for key, value in model.backbone.state_dict().items())


def test_the_probability_is_calibrated(engine: Engine, frames: NDArray[np.uint8]) -> None:
    score = engine.score(engine.embed(frames[:3]))
    assert score.probability == engine.manifest.calibration.probability(score.logit)


def test_attention_has_a_weight_for_each_frame(engine: Engine, frames: NDArray[np.uint8]) -> None:
    attention = engine.score(engine.embed(frames[:5])).attention
    assert attention.shape == (5,)
    assert attention.sum() == pytest.approx(1, abs=1e-5)


def test_a_study_without_frames_gets_a_finite_answer_and_no_attention(engine: Engine) -> None:
    embeddings = engine.embed(np.zeros((0, 128, 128), dtype=np.uint8))
    score = engine.score(embeddings)
    assert embeddings.shape == (0, 512)
    assert 0 < score.probability < 1
    assert score.attention.shape == (0,)


@pytest.mark.parametrize("shape", [(128, 128), (2, 64, 64), (2, 128, 128, 3)])
def test_frames_of_another_shape_are_refused(engine: Engine, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="frames are uint8"):
        engine.embed(np.zeros(shape, dtype=np.uint8))


def test_frames_of_another_type_are_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="float32"):
        engine.embed(np.zeros((1, 128, 128), dtype=np.float32))


def test_embeddings_of_another_model_are_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="512"):
        engine.score(np.zeros((3, 2048), dtype=np.float16))


def test_fusing_takes_every_normalisation_out() -> None:
    fused = fuse(backbone("resnet50"))
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in fused.modules())


def test_half_precision_is_used_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert compute_dtype(torch.device("cpu")) == torch.float32
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert compute_dtype(torch.device("cpu")) == torch.bfloat16
