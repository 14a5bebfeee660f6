from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from studies import storage
from studies.dicom.bounded_reader import MAGIC_AT
from tests.studies.stored_bytes import put


def test_bytes_are_found_under_their_digest(settings: Settings) -> None:
    digest = put(b"hello")
    assert digest == hashlib.sha256(b"hello").hexdigest()
    root = Path(settings.STORAGE_URL.removeprefix("file://"))
    assert (root / digest[:2] / digest[2:4] / digest).read_bytes() == b"hello"


def test_the_same_bytes_are_kept_once(settings: Settings) -> None:
    digest = put(b"hello")
    assert put(b"hello") == digest
    root = Path(settings.STORAGE_URL.removeprefix("file://"))
    assert [path.name for path in root.rglob("*") if path.is_file()] == [digest]


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "a" * 63, "A" * 64, "a" * 64 + "\n", "/" + "a" * 63])
def test_only_a_digest_makes_a_path(digest: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        storage.verified(digest)


def test_a_changed_byte_is_found_before_it_is_read(settings: Settings) -> None:
    digest = put(b"hello")
    storage.store().local(digest).write_bytes(b"jello")
    with pytest.raises(storage.Corrupt):
        storage.verified(digest)


def test_storing_again_heals_a_damaged_file() -> None:
    digest = put(b"hello")
    storage.store().local(digest).write_bytes(b"jello")
    put(b"hello")
    assert storage.verified(digest).read_bytes() == b"hello"


def test_missing_bytes_are_said_to_be_missing() -> None:
    with pytest.raises(storage.Missing):
        storage.verified("0" * 64)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_behind(settings: Settings, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def full(_: int) -> None:
        raise OSError(code, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(storage.DiskFull):
        put(b"hello")
    assert list((settings.WORK_FOLDER / "staging").iterdir()) == []


def test_another_trouble_with_the_disk_is_not_called_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="broken"):
        put(b"hello")


def test_the_reserve_is_kept_free(settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    with pytest.raises(storage.DiskFull):
        put(b"hello")


def test_file_and_folders_are_synced_before_success(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    digest = put(b"hello")
    file, *folders = synced
    assert "staging" in file
    assert {Path(folder).name for folder in folders} == {digest[2:4], digest[:2], "storage"}


def test_what_a_dead_process_left_is_swept() -> None:
    folder = storage.store().staging()
    old, new = folder / "old", folder / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 90000, time.time() - 90000))
    assert storage.sweep_staging() == 1
    assert [path.name for path in folder.iterdir()] == ["new"]


@given(st.binary(max_size=400), st.integers(1, 200))
def test_the_cut_of_the_stream_does_not_matter(data: bytes, step: int) -> None:
    staged = storage.stage(iter([data[at : at + step] for at in range(0, len(data), step)]))
    assert staged.path.read_bytes() == data or data[MAGIC_AT : MAGIC_AT + 4] == b"DICM"
    assert staged.size == len(data)
    staged.discard()


@given(st.binary(min_size=128, max_size=128), st.binary(max_size=100), st.integers(1, 300))
def test_a_preamble_is_zeroed_however_it_arrives(preamble: bytes, rest: bytes, step: int) -> None:
    data = preamble + b"DICM" + rest
    staged = storage.stage(iter([data[at : at + step] for at in range(0, len(data), step)]))
    stored = staged.path.read_bytes()
    assert stored == bytes(128) + b"DICM" + rest
    assert staged.digest == hashlib.sha256(stored).hexdigest()
    assert staged.had_preamble == any(preamble)
    staged.discard()
