"""Bytes, stored under the digest of their content. This module alone makes their paths, and only from a digest.

A file is staged (``stage``), checked by its caller, then kept (``keep``): synced, renamed into place, and its folder
synced. What was staged and never kept is swept away.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qs, unquote, urlparse

from django.conf import settings

from common.atomic_file import replacing
from common.private_files import FOLDER, private_folder

logger = logging.getLogger(__name__)

CHUNK = 1024**2
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT}
_PREAMBLE = 128
_MAGIC = b"DICM"
_QUARANTINE = "quarantine"
_ABANDONED_SECONDS = 24 * 3600
_TIDY_SECONDS = 3600
_tidied_at = float("-inf")


class DiskFull(Exception):
    """There is no room; nothing of this file was kept."""


class TooLarge(Exception):
    """More bytes came than one file may have."""


class Corrupt(Exception):
    """The stored bytes are not those that were stored."""


class Missing(Exception):
    """No bytes are stored under this digest."""


@dataclass(frozen=True)
class StagedFile:
    """A complete file that nothing refers to yet."""

    path: Path
    digest: str
    size: int
    had_preamble: bool

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


class Store(Protocol):
    """Where bytes live for good."""

    def staging(self) -> Path: ...
    def keep(self, staged: Sequence[StagedFile]) -> None: ...
    def local(self, digest: str) -> Path: ...
    def remove(self, digest: str) -> None: ...


class FolderStore:
    """A folder: ``ab/cd/<digest>``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        private_folder(self.root)

    def staging(self) -> Path:
        """The work folder's, if a rename from there stays on one file system; else one inside the store."""
        folder = _made(settings.WORK_FOLDER / "staging")
        return folder if folder.stat().st_dev == self.root.stat().st_dev else _made(self.root / ".staging")

    def keep(self, staged: Sequence[StagedFile]) -> None:
        """Rename into place even over an existing file, whose bytes are the same or damaged."""
        folders: dict[Path, None] = {}
        for file in staged:
            target = self.local(file.digest)
            new = _new_folders(target.parent)
            target.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER)
            file.path.replace(target)
            folders.update(dict.fromkeys([*new, target.parent]))
        for folder in folders:
            _sync(folder)

    def local(self, digest: str) -> Path:
        return self.root / _relative(digest)

    def remove(self, digest: str) -> None:
        self.local(digest).unlink(missing_ok=True)


class S3Store:
    """A bucket of any S3-compatible store; what is read is copied into the work folder first."""

    def __init__(self, url: str) -> None:
        from botocore.config import Config
        from storages.backends.s3 import S3Storage

        parts = urlparse(url)
        options: dict[str, Any] = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        # Stores other than Amazon's often know neither virtual hosts nor its newer checksums; digests check the bytes.
        config = Config(  # type: ignore[no-untyped-call]  # botocore has no types
            s3={"addressing_style": options.get("addressing", "path")},
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self.files: Any = S3Storage(  # type: ignore[no-untyped-call]  # nor has django-storages
            bucket_name=parts.netloc,
            location=parts.path.strip("/"),
            endpoint_url=options.get("endpoint"),
            region_name=options.get("region"),
            client_config=config,
            default_acl=None,
            querystring_auth=False,
            file_overwrite=True,
        )

    def staging(self) -> Path:
        return _made(settings.WORK_FOLDER / "staging")

    def keep(self, staged: Sequence[StagedFile]) -> None:
        from django.core.files import File

        for file in staged:
            with file.path.open("rb") as stream:
                self.files.save(str(_relative(file.digest)), File(stream))
            target = settings.WORK_FOLDER / "objects" / _relative(file.digest)
            target.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER)
            file.path.replace(target)

    def local(self, digest: str) -> Path:
        target: Path = settings.WORK_FOLDER / "objects" / _relative(digest)
        if not target.exists():
            self._fetch(digest, target)
        return target

    def remove(self, digest: str) -> None:
        self.files.delete(str(_relative(digest)))
        (settings.WORK_FOLDER / "objects" / _relative(digest)).unlink(missing_ok=True)

    def _fetch(self, digest: str, target: Path) -> None:
        try:
            with replacing(target, private=True) as copy, self.files.open(str(_relative(digest)), "rb") as stream:
                shutil.copyfileobj(stream, copy, CHUNK)
        except FileNotFoundError:
            raise Missing(digest) from None


def store() -> Store:
    """The store that ``STORAGE_URL`` names."""
    return _store(settings.STORAGE_URL)


def quarantine() -> Store:
    """The store of files that were not taken in. Patients' files lie in the other, from which nothing is removed."""
    parts = urlparse(settings.STORAGE_URL)
    return _store(parts._replace(path=f"{parts.path.rstrip('/')}/{_QUARANTINE}").geturl())


@lru_cache(maxsize=8)
def _store(url: str) -> Store:
    scheme = urlparse(url).scheme
    if scheme == "s3":
        return S3Store(url)
    if scheme == "file":
        return FolderStore(Path(unquote(urlparse(url).path)))
    raise ValueError(f"STORAGE_URL must start with file:// or s3://, not {scheme}://")


def _relative(digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise ValueError("not a SHA-256 digest")
    return Path(digest[:2]) / digest[2:4] / digest


def _made(folder: Path) -> Path:
    return private_folder(folder)


def _new_folders(folder: Path) -> list[Path]:
    """Folders whose own entries change when ``folder`` is made."""
    return [parent for parent in (folder.parent, folder.parent.parent) if not folder.exists()]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Stager:
    """A file on its way in: counted, hashed and capped as it comes. Use as a context manager, then ``finish``.

    The 128 bytes before DICM can hold a program for some other system; they mean nothing in DICOM and are zeroed.
    """

    def __init__(self, folder: Path, *, limit: int) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self._head: bytes | None = b""
        self._size = 0
        self._limit = limit
        self._had_preamble = False

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooLarge
        if self._head is not None:
            chunk = self._without_preamble(chunk, self._head)
        self._put(chunk)

    def _without_preamble(self, chunk: bytes, head: bytes) -> bytes:
        """Nothing until the first 132 bytes are there, then all of them with an empty preamble."""
        head += chunk
        if len(head) < _PREAMBLE + len(_MAGIC):
            self._head = head
            return b""
        return self._release(head)

    def _release(self, head: bytes) -> bytes:
        self._head = None
        if head[_PREAMBLE : _PREAMBLE + len(_MAGIC)] != _MAGIC:
            return head
        self._had_preamble = any(head[:_PREAMBLE])
        return bytes(_PREAMBLE) + head[_PREAMBLE:]

    def _put(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        with _as_disk_full():
            self._file.write(chunk)

    def finish(self, *, durable: bool = True) -> StagedFile:
        """Everything has come; with ``durable`` it is on the disk when this returns."""
        if self._head:
            self._put(self._release(self._head))
        with _as_disk_full():
            self._file.flush()
            if durable and self._size:
                os.fsync(self._file.fileno())
            self._file.close()
        return StagedFile(self.path, self._hash.hexdigest(), self._size, self._had_preamble)

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def _as_disk_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull from error
        raise


def check_room(coming: int = 0) -> None:
    """Raise DiskFull if ``coming`` more bytes would eat into the reserve."""
    if shutil.disk_usage(store().staging()).free - coming < settings.DISK_RESERVE_BYTES:
        raise DiskFull


def stage(chunks: Iterator[bytes], *, limit: int | None = None) -> StagedFile:
    """Take a file in without keeping it yet; raises DiskFull or TooLarge, and then leaves nothing behind."""
    check_room()
    with _as_disk_full():
        stager = Stager(store().staging(), limit=settings.INSTANCE_MAX_BYTES if limit is None else limit)
    try:
        for chunk in chunks:
            stager.write(chunk)
        return stager.finish()
    except BaseException:
        stager.discard()
        raise


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def keep(staged: Sequence[StagedFile]) -> None:
    """Make staged files durable under their digests, all or (after an error) again."""
    with _as_disk_full():
        store().keep(staged)


def verified(digest: str, within: Store | None = None) -> Path:
    """A local file whose bytes are those of the digest, checked once per process; raises Missing or Corrupt."""
    path = (within or store()).local(digest)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise Missing(digest) from None
    _verify(path, digest, status.st_ino, status.st_size, status.st_mtime_ns)
    return path


@lru_cache(maxsize=4096)
def _verify(path: Path, digest: str, inode: int, size: int, changed: int) -> None:
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
            logger.error("the stored file %s has changed on the disk", digest)
            raise Corrupt(digest)


def tidy() -> None:
    """Sweep at most once an hour; cheap to call often."""
    global _tidied_at
    if time.monotonic() - _tidied_at > _TIDY_SECONDS:
        _tidied_at = time.monotonic()
        sweep_staging()


def sweep_staging(*, older_than: float = _ABANDONED_SECONDS) -> int:
    """Remove what a process that died left half-received; returns how many files."""
    before = time.time() - older_than
    removed = 0
    for path in store().staging().iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed
