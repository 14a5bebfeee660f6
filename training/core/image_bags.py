"""Bags from folders of pictures: what `crossval` reads where there is no DICOM and no database."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from common.atomic_file import replacing
from inference.core.manifest import file_digest
from inference.core.preprocess import PREPROCESSING, prepare
from training.core.bags import Bags, Embeddings, make_bags
from training.core.metrics import Labels
from training.core.splits import linked_groups

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
Embed = Callable[[NDArray[np.uint8]], NDArray[np.float16]]


class BadTable(ValueError):
    """The table of bags cannot be used; the message says why."""


@dataclass(frozen=True)
class BagTable:
    """The rows of bags.csv: bag names, labels [M], groups, and the fold of each bag if the table gives one."""

    names: list[str]
    y: list[int]
    groups: list[str]
    folds: Labels | None


def read_table(path: Path, *, label: str, group: str, fold: str | None = None, twins: str | None = None) -> BagTable:
    """Read a CSV with a column `bag`, a 0/1 column `label`, a column `group` and perhaps a column `fold`.

    Rows with the same value in a column `twins` belong together with all else of their groups; empty: no twin.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise BadTable(f"{path.name} has no rows")
    columns = ["bag", label, group, *(name for name in (fold, twins) if name)]
    if missing := [name for name in columns if name not in rows[0]]:
        raise BadTable(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(rows[0])}")
    for line, row in enumerate(rows, start=2):
        _check_row(f"{path.name}, line {line} (bag {row['bag']!r})", row, label=label, group=group, fold=fold)
    if twice := sorted(name for name, count in Counter(row["bag"] for row in rows).items() if count > 1):
        raise BadTable(f"{path.name} names bag {twice[0]!r} more than once")
    groups = linked_groups([row[group] for row in rows], [(row[twins] or "") if twins else "" for row in rows])
    if fold:
        _check_folds(path.name, rows, groups, fold=fold)
    return BagTable(
        names=[row["bag"] for row in rows],
        y=[int(row[label]) for row in rows],
        groups=groups,
        folds=np.array([int(row[fold]) for row in rows]) if fold else None,
    )


def _check_folds(name: str, rows: list[dict[str, str]], groups: list[str], *, fold: str) -> None:
    """Raise BadTable naming both lines where a patient, or linked patients, stand in two folds."""
    first: dict[str, tuple[int, int]] = {}
    for line, (row, group) in enumerate(zip(rows, groups, strict=True), start=2):
        at, before = first.setdefault(group, (line, int(row[fold])))
        if int(row[fold]) != before:
            raise BadTable(
                f"{name}, line {line} (bag {row['bag']!r}): {group} is in fold {row[fold]}, and on line {at} in fold "
                f"{before}; nobody may be in more than one fold"
            )


def _check_row(where: str, row: dict[str, str], *, label: str, group: str, fold: str | None) -> None:
    """Raise BadTable naming the line for what no later step could explain."""
    if row["bag"] in ("", ".", "..") or {"/", "\\"} & set(row["bag"]):
        raise BadTable(f"{where}: a bag is the name of one folder")
    if row[label] not in ("0", "1"):
        raise BadTable(f"{where}: {label} is {row[label]!r}; a label is 0 or 1")
    if not row[group]:
        raise BadTable(f"{where}: {group} is empty; whose frames these are must be said")
    if fold and not (row[fold] or "").isdecimal():
        raise BadTable(f"{where}: {fold} is {row[fold]!r}; a fold is a whole number")


def pictures_of(folder: Path) -> list[Path]:
    """The pictures of a bag, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []


def embed_folders(table: BagTable, images: Path, *, embed: Embed, cache: Path, backbone: Path) -> Bags:
    """Embed IMAGES/<bag>/* of each bag; `cache` holds the embeddings, one file a bag, named by backbone and bag."""
    if empty := [name for name in table.names if not pictures_of(images / name)]:
        raise BadTable(f"no pictures for {len(empty)} bags, {empty[0]!r} among them")
    for name in table.names:
        _check_pictures(images / name)
    folder = cache / f"{PREPROCESSING}-{file_digest(backbone)[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    embeddings = [_cached(folder / f"{name}.npy", pictures_of(images / name), embed) for name in table.names]
    return make_bags(embeddings, table.y, groups=table.groups, uids=table.names)


def _check_pictures(folder: Path) -> None:
    """Before anything is embedded or written, every picture must open."""
    for path in pictures_of(folder):
        try:
            with Image.open(path) as picture:
                picture.verify()
        except (OSError, SyntaxError, ValueError) as error:
            raise BadTable(f"bag {folder.name!r}: {path.name} is not a picture that can be read") from error


def _cached(path: Path, pictures: list[Path], embed: Embed) -> Embeddings:
    if path.exists():
        cached: Embeddings = np.load(path, allow_pickle=False)
        if len(cached) == len(pictures):
            return cached
    embeddings = embed(np.stack([prepare(_opened(picture)) for picture in pictures]))
    with replacing(path) as file:
        np.save(file, embeddings)
    return embeddings


def _opened(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "I;16") else "RGB"), dtype=np.uint8)
