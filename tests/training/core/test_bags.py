"""Bags on disk, and what is no bag."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.core.synthetic_bags import marked, toy_bags
from training.core.bags import load, load_train_masks, make_bags


def test_bags_read_back_as_they_were_written(tmp_path: Path) -> None:
    bags = toy_bags(12)
    bags.save(tmp_path / "bags.npz")
    assert load(tmp_path / "bags.npz").digest == bags.digest


def test_an_empty_bag_survives_the_disk(tmp_path: Path) -> None:
    bags = make_bags([np.ones((2, 3)), np.ones((0, 3))], [1, 0], groups=["a", "b"], uids=["1", "2"])
    bags.save(tmp_path / "bags.npz")
    assert [len(bag) for bag in load(tmp_path / "bags.npz").embeddings] == [2, 0]


@pytest.mark.parametrize(
    "change", [{"y": [0, 1]}, {"groups": ["b", "a"]}, {"uids": ["1", "3"]}, {"embeddings": [np.ones((2, 3))] * 2}]
)
def test_the_digest_names_every_part(change: dict[str, Any]) -> None:
    parts: dict[str, Any] = {
        "embeddings": [np.ones((2, 3)), np.zeros((1, 3))], "y": [1, 0], "groups": ["a", "b"], "uids": ["1", "2"],
    }  # fmt: skip
    assert make_bags(**parts).digest != make_bags(**(parts | change)).digest


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"y": [1]}, "different lengths"),
        ({"y": [1, 2]}, "0 or 1"),
        ({"uids": ["1", "1"]}, "same uid"),
        ({"embeddings": [np.ones((2, 3)), np.ones((2, 4))]}, "different dimensions"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, Any], reason: str) -> None:
    parts: dict[str, Any] = {"embeddings": [np.ones((2, 3))] * 2, "y": [1, 0], "groups": ["a", "b"], "uids": ["1", "2"]}
    with pytest.raises(ValueError, match=reason):
        make_bags(**(parts | change))


def test_a_file_of_vectors_alone_makes_each_bag_its_own_group(tmp_path: Path) -> None:
    path = tmp_path / "features.npz"
    np.savez(path, instances=np.ones((5, 2)), bag_index=[0, 0, 1, 1, 1], y=[0, 1])
    bags = load(path)
    assert [len(bag) for bag in bags.embeddings] == [2, 3]
    assert len(set(bags.groups.tolist())) == 2
    assert load_train_masks(path) is None


def test_a_file_without_labels_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "features.npz", instances=np.ones((5, 2)), bag_index=[0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="lacks y"):
        load(tmp_path / "features.npz")


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", instances=np.array([{}], dtype=object), bag_index=[0], y=[1])
    with pytest.raises(ValueError, match="allow_pickle"):
        load(tmp_path / "bad.npz")


def test_what_fitting_sees_survives_the_disk(tmp_path: Path) -> None:
    bags = marked(toy_bags(6))
    whole = replace(bags, fit_y=1 - bags.y)
    whole.save(tmp_path / "bags.npz")
    again = load(tmp_path / "bags.npz")
    assert again.digest == whole.digest != bags.digest
    assert again.fitted_on.tolist() == (1 - bags.y).tolist()


@pytest.mark.parametrize("change", [{"fit_y": np.array([0, 1])}, {"keyframes": [np.zeros(1, dtype=np.int8)]}])
def test_extras_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="fit"):
        replace(toy_bags(6), **change)
