"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.atomic_file import replacing


def test_the_file_holds_what_was_written(tmp_path: Path) -> None:
    with replacing(tmp_path / "deep" / "file", durable=True) as file:
        file.write(b"new")
    assert (tmp_path / "deep" / "file").read_bytes() == b"new"


def test_until_the_end_the_old_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(bytes(1 // 0))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_what_is_private_is_readable_by_its_owner_alone(tmp_path: Path, private: bool, mode: int) -> None:
    with replacing(tmp_path / "file", private=private) as file:
        file.write(b"new")
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode
