"""What to label next: what each strategy prefers, and that its sentence tells a reader nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from annotations.models import Context
from annotations.queues import sampling_strategies
from annotations.queues.sampling_strategies import CannotRank
from inference.models import Flag
from studies import decoding
from studies.models import Study
from tests.annotations import factories

pytestmark = pytest.mark.django_db
TELLTALE = ("model", "suspect", "threshold", "probab", "differ", "split", "readers", "unsure")


FOLDER = f"float32-cpu-d{decoding.VERSION}"


@pytest.fixture
def work(settings: Settings, tmp_path: Path) -> Path:
    settings.WORK_FOLDER = tmp_path
    factories.model(manifest={"backbone_digest": "b"})
    return tmp_path


def embedded(work: Path, at: float, *, near: int) -> Study:
    """A study whose two frames lie at one point of a space of four dimensions."""
    made = factories.study(clips=0)
    clip = factories.clip(made, scorable=True)
    folder = work / "embeddings" / "b" / FOLDER / clip.digest[:2]
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.full((2, 4), at, dtype=np.float16) + np.arange(4) * near / 100
    np.savez(folder / f"{clip.digest}.npz", frames=np.array([1, 2]), embeddings=rows)
    return made


def chosen(name: str, studies: list[Study], n: int, seed: int = 0) -> list[Study]:
    """What the strategy itself chose, without the random share."""
    by_key = {study.pk: study for study in studies}
    return [by_key[pick.study] for pick in sampling_strategies.picks(name, studies, n, seed) if pick.strategy == name]


def test_uncertainty_prefers_what_lies_at_the_threshold() -> None:
    studies = [factories.study() for _ in range(10)]
    for number, study in enumerate(studies):
        factories.scored(study, Flag.SUSPECTED, 0.05 + number * 0.1, operating_point={"threshold": 0.35})
    first = sampling_strategies.picks("uncertainty", studies, 10)
    keys = [study.pk for study in studies]
    ranked = [keys.index(pick.study) for pick in first if pick.strategy == "uncertainty"]
    distances = [abs(np.log(p / (1 - p)) - np.log(0.35 / 0.65)) for p in (0.05 + at * 0.1 for at in ranked)]
    assert distances == sorted(distances)
    assert "threshold is 0.35" in next(pick.reason for pick in first if pick.strategy == "uncertainty")


def test_diversity_goes_where_no_label_is(work: Path) -> None:
    factories.read(embedded(work, 0.0, near=0))
    crowd = [embedded(work, 0.0, near=number) for number in range(8)]
    alone = embedded(work, 5.0, near=0)
    assert chosen("diversity", [*crowd, alone], 5, seed=3)[0] == alone


def test_a_split_is_expected_beside_studies_on_which_readers_split(work: Path) -> None:
    for number in range(24):
        known = embedded(work, float(number % 2), near=number % 5)
        factories.queue(known)
        for grade in (0, number % 2):
            factories.read(known, context=Context.QUEUE, right=grade, left=0)
    agreed, differing = [embedded(work, 0.0, near=2) for _ in range(5)], [embedded(work, 1.0, near=2) for _ in range(5)]
    first = chosen("split", agreed + differing, 5, seed=1)
    assert set(first) <= set(differing)
    assert len(first) == 4


def test_rare_scanners_and_ages_come_first_and_say_so() -> None:
    for _ in range(6):
        factories.clip(read := factories.study(of=factories.patient(gestational_age_days=30 * 7)), device="Common")
        factories.read(read)
    common = [factories.study(of=factories.patient(gestational_age_days=30 * 7)) for _ in range(8)]
    for study in common:
        factories.clip(study, device="Common")
    rare = factories.study(of=factories.patient(gestational_age_days=23 * 7))
    factories.clip(rare, device="Seldom")
    why = {pick.study: pick.why for pick in sampling_strategies.picks("rare", [*common, rare], 5, seed=2)}
    assert why[rare.pk] == "Few labelled studies come from this scanner (Seldom)."


@pytest.mark.parametrize("name", ["random", "uncertainty", "diversity", "split", "balanced"])
def test_no_sentence_tells_the_ai_or_another_reader_nor_which_were_drawn(work: Path, name: str) -> None:
    studies = [embedded(work, float(number), near=0) for number in range(10)]
    for number, study in enumerate(studies):
        factories.scored(study, probability=number / 10)
    if name == "split":
        for number in range(20):
            known = embedded(work, float(number), near=0)
            factories.queue(known)
            for _ in range(2):
                factories.read(known, context=Context.QUEUE)
    (why,) = {pick.why for pick in sampling_strategies.picks(name, studies, 10)}
    assert not any(word in why.lower() for word in TELLTALE)


def test_a_fifth_is_drawn_at_random_and_the_seed_decides() -> None:
    studies = [factories.study() for _ in range(30)]
    for number, study in enumerate(studies):
        factories.scored(study, probability=0.02 + number / 50)
    first, again, other = (sampling_strategies.picks("uncertainty", studies, 20, seed) for seed in (1, 1, 2))
    assert [pick.strategy for pick in first].count("random") == 4
    assert first == again
    assert {p.study for p in first if p.strategy == "random"} != {p.study for p in other if p.strategy == "random"}


def test_what_the_strategy_cannot_rank_fills_up_and_counts_as_no_random_draw() -> None:
    studies = [factories.study() for _ in range(10)]
    factories.scored(studies[0])
    picks = sampling_strategies.picks("uncertainty", studies, 10, seed=4)
    assert {pick.study for pick in picks} == {study.pk for study in studies}
    assert sum(pick.reason == sampling_strategies.FILLED for pick in picks) >= 7
    assert sum(pick.strategy == "random" for pick in picks) == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("uncertainty", "scored"),
        ("diversity", "embeddings"),
        ("split", "20 are needed"),
        ("rare", "age"),
        ("x", "no strategy"),
    ],
)
def test_where_there_is_nothing_to_go_by_it_says_what_to_do(work: Path, name: str, words: str) -> None:
    with pytest.raises(CannotRank, match=words):
        sampling_strategies.picks(name, [factories.study(), factories.study()], 2)


def test_a_torn_embedding_counts_as_none(work: Path) -> None:
    whole, torn = embedded(work, 1.0, near=0), embedded(work, 2.0, near=0)
    digest = torn.clips.get().digest
    (work / "embeddings" / "b" / FOLDER / digest[:2] / f"{digest}.npz").write_bytes(b"PK\x03\x04torn")
    assert chosen("diversity", [whole, torn], 2) == [whole]
