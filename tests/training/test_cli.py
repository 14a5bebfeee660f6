"""`python -m training crossval` on pictures and on vectors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inference.core.manifest import BadModel
from inference.core.network import backbone
from inference.core.weights import save_backbone
from tests.training.core.synthetic_bags import toy_bags
from training import cli
from training.core.image_bags import BadTable, embed_folders, read_table
from training.demo_model import build

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Sixteen bags of two pictures; abnormal ones have a bright square."""
    rng = np.random.default_rng(0)
    rows = ["bag,patient,abnormal,fold"]
    for number in range(16):
        folder = tmp_path / "images" / f"bag{number}"
        folder.mkdir(parents=True)
        for frame in range(2):
            picture = rng.integers(40, 90, (64, 64)).astype(np.uint8)
            picture[20:40, 20:40] += np.uint8(150 * (number % 2))
            Image.fromarray(picture).save(folder / f"{frame}.png")
        rows.append(f"bag{number},p{number // 2 * 2 + number % 2},{number % 2},{number // 2 % 2}")
    (tmp_path / "bags.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def small_backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "ARCHITECTURE", "resnet18")
    monkeypatch.setattr(build, "DIM", 512)
    torch.manual_seed(0)
    save_backbone(tmp_path / "backbone.safetensors", backbone("resnet18"))
    return tmp_path / "backbone.safetensors"


def test_folders_of_pictures_are_cross_validated(pictures: Path, small_backbone: Path) -> None:
    out = pictures / "out"
    arguments = ["--bags", str(pictures / "bags.csv"), "--images", str(pictures / "images"), "--label", "abnormal"]
    arguments += ["--fold", "fold", "--backbone", str(small_backbone), "--out", str(out), "--recipe", "paper"]
    assert cli.crossval(arguments) == 0
    report = json.loads((out / "report.json").read_text())
    assert (report["n"], report["n_positive"], len(report["folds"])) == (16, 8, 2)


def test_the_command_finds_its_packages_without_being_told_where_they_are(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "training", "crossval", "--features", str(tmp_path / "none.npz")]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (ended.returncode, "none.npz" in ended.stderr) == (2, True), ended.stderr


def test_vectors_are_cross_validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy_bags(40).save(tmp_path / "features.npz")
    arguments = ["--features", str(tmp_path / "features.npz"), "--out", str(tmp_path / "out"), "--head", "mean"]
    assert cli.crossval([*arguments, "--recipe", "paper", "--folds", "2"]) == 0
    assert "Research use only" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "report.json").read_text())["head"] == "mean"


def test_embeddings_are_made_once(pictures: Path, small_backbone: Path) -> None:
    table = read_table(pictures / "bags.csv", label="abnormal", group="patient")
    calls: list[int] = []

    def embed(frames: np.ndarray) -> np.ndarray:
        calls.append(len(frames))
        return np.zeros((len(frames), 4), dtype=np.float16)

    for _ in range(2):
        embed_folders(table, pictures / "images", embed=embed, cache=pictures / "cache", backbone=small_backbone)
    assert calls == [2] * 16


def test_twins_belong_together(tmp_path: Path) -> None:
    (tmp_path / "bags.csv").write_text("bag,y,patient,twins\na,1,p1,t\nb,0,p2,t\nc,0,p2,\nd,1,p3,\n")
    groups = read_table(tmp_path / "bags.csv", label="y", group="patient", twins="twins").groups
    assert groups[0] == groups[1] == groups[2] != groups[3]


@pytest.mark.parametrize(
    ("label", "group", "reason"),
    [("label", "patient", "no column label"), ("abnormal", "site", "no column site"), ("bag", "patient", "0 or 1")],
)
def test_a_table_that_lacks_something_is_refused(pictures: Path, label: str, group: str, reason: str) -> None:
    with pytest.raises(BadTable, match=reason):
        read_table(pictures / "bags.csv", label=label, group=group)


def test_a_bag_without_pictures_is_named(
    pictures: Path, small_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for picture in (pictures / "images" / "bag3").iterdir():
        picture.unlink()
    arguments = ["--bags", str(pictures / "bags.csv"), "--images", str(pictures / "images"), "--label", "abnormal"]
    assert cli.crossval([*arguments, "--backbone", str(small_backbone), "--out", str(pictures / "out")]) == 2
    assert "'bag3'" in capsys.readouterr().err
    assert not (pictures / "out" / "report.json").exists()


def test_a_backbone_that_is_none_is_refused(pictures: Path) -> None:
    (pictures / "bad.safetensors").write_bytes(b"not weights")
    with pytest.raises(BadModel):
        build.embedding_engine(pictures / "bad.safetensors")


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "features.npz").write_text("no")
    assert cli.crossval(["--features", str(tmp_path / "features.npz"), "--out", str(tmp_path / "out")]) == 2
    assert "Nothing was written" in capsys.readouterr().err


def _spoil_table(pictures: Path, *, line: int, old: str, new: str) -> None:
    lines = (pictures / "bags.csv").read_text().splitlines()
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new)
    (pictures / "bags.csv").write_text("\n".join(lines) + "\n")


def _crossval(pictures: Path, *more: str) -> int:
    arguments = ["--bags", str(pictures / "bags.csv"), "--images", str(pictures / "images"), "--label", "abnormal"]
    return cli.crossval([*arguments, "--out", str(pictures / "out"), *more])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("p3,1,1", "p3,yes,1", "abnormal is 'yes'"),
        ("p3,1,1", "p3,1,one", "fold is 'one'"),
        ("p3,1,1", ",1,1", "patient is empty"),
        ("bag3,", "../bag3,", "name of one folder"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(
    pictures: Path, old: str, new: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _spoil_table(pictures, line=5, old=old, new=new)
    assert _crossval(pictures, "--fold", "fold") == 2
    told = capsys.readouterr().err
    assert "line 5" in told
    assert reason in told
    assert told.count("\n") == 1
    assert not (pictures / "out").exists()


def test_a_bag_named_twice_is_refused(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _spoil_table(pictures, line=5, old="bag3,", new="bag4,")
    assert _crossval(pictures) == 2
    assert "'bag4' more than once" in capsys.readouterr().err


def test_a_patient_in_two_given_folds_is_named(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _spoil_table(pictures, line=5, old="p3,", new="p5,")
    assert _crossval(pictures, "--fold", "fold") == 2
    told = capsys.readouterr().err
    assert all(part in told for part in ("bag 'bag", "p5 is in fold", "and on line 5 in fold"))
    assert not (pictures / "out").exists()


def test_a_picture_that_is_none_is_named_before_anything_is_embedded(
    pictures: Path, small_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "images" / "bag3" / "1.png").write_bytes(b"no picture")
    assert _crossval(pictures, "--fold", "fold", "--backbone", str(small_backbone)) == 2
    assert "bag 'bag3': 1.png" in capsys.readouterr().err
    assert not (pictures / "out").exists()


def test_too_few_patients_are_counted_before_anything_is_embedded(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _crossval(pictures, "--folds", "12") == 2
    assert "12 folds need 12 patients of each class" in capsys.readouterr().err
    assert not (pictures / "out").exists()


def _features(tmp_path: Path, **change: np.ndarray) -> list[str]:
    bags = toy_bags(20)
    bags.save(tmp_path / "features.npz")
    with np.load(tmp_path / "features.npz") as file:
        arrays = {**{key: file[key] for key in file.files}, **change}
    np.savez(tmp_path / "features.npz", **arrays)
    return ["--features", str(tmp_path / "features.npz"), "--out", str(tmp_path / "out")]


def test_a_vector_that_is_not_finite_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = np.concatenate(toy_bags(20).embeddings)
    spoilt[3, 2] = np.nan
    assert cli.crossval(_features(tmp_path, instances=spoilt)) == 2
    assert "instance 3, of bag" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_masks_of_other_bags_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.crossval(_features(tmp_path, train_masks=np.ones((2, 5, 19), dtype=bool))) == 2
    assert "20 bags" in capsys.readouterr().err


def test_a_path_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.crossval(["--features", str(tmp_path / "none.npz"), "--out", str(tmp_path / "out")]) == 2
    assert "none.npz" in capsys.readouterr().err
