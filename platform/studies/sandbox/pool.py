"""Sandbox worker processes, the only place where untrusted DICOM is read.

A pool lives in whichever process asks for it, web or worker, is started by its first task, and is safe to use from
many threads. Each sandbox worker has limits on memory, CPU and wall time, answers up to ``TASKS_PER_WORKER`` tasks and
is replaced after any failure. One that crashes, hangs or eats memory is an ordinary SandboxError about that one file.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from django.conf import settings

from studies.dicom.facts import Header, Look
from studies.sandbox import protocol
from studies.sandbox.processes import ForkServer, SandboxWorker, WorkerEnded

TASKS_PER_WORKER = 50
TOO_SLOW = "too_slow"
_INTERACTIVE_SECONDS = 20
_BEFORE_DECODING = {"empty", "not_dicom", "no_preamble"}
"""Refusals for a file's first bytes, which nothing but a comparison has seen."""


class SandboxError(Exception):
    """A file could not be read. ``reason`` is for a person; ``lasting``: trying again would not help."""

    def __init__(self, reason: str, *, code: str = "sandbox_failed", lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.lasting = lasting


class Pool:
    """At most ``size`` workers busy; further tasks wait their turn."""

    def __init__(self, size: int) -> None:
        self.owner = os.getpid()
        self._turns = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[SandboxWorker] = []
        self._server: ForkServer | None = None

    def warm(self) -> None:
        """Start the fork server, without waiting for it."""
        self._running_server()

    def run(self, task: dict[str, Any], *, wall: float) -> protocol.Message:
        """Run one task in a worker. One killed from outside gets a second try: the file may not be to blame."""
        with self._turns:
            try:
                return self._once(task, wall)
            except WorkerEnded as end:
                if end.status not in (None, -signal.SIGKILL, -signal.SIGTERM):
                    raise _failure(end.status) from None
            try:
                return self._once(task, wall, fresh=True)
            except WorkerEnded as end:
                raise _failure(end.status) from None

    def _once(self, task: dict[str, Any], wall: float, *, fresh: bool = False) -> protocol.Message:
        worker = self._new_worker() if fresh else self._idle_worker() or self._new_worker()
        try:
            answer = worker.run(task, wall=wall)
        except protocol.TooSlow:
            worker.kill()
            raise SandboxError(f"Reading it took longer than {wall:.0f} s and was stopped.", code=TOO_SLOW) from None
        except protocol.Garbled:
            worker.kill()
            raise SandboxError("The process that read it answered nonsense and was stopped.") from None
        except BaseException:
            worker.kill()
            raise
        # A decoder that failed may have spoilt its process before it noticed: the next file gets a fresh one.
        self._release(worker, failed="ok" not in answer[0] and answer[0].get("refused") not in _BEFORE_DECODING)
        return answer

    def _idle_worker(self) -> SandboxWorker | None:
        """A worker that waits for a task; those that ended with their fork server are closed."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.server.alive():
                    return worker
                worker.close()
        return None

    def _new_worker(self) -> SandboxWorker:
        """A new worker; from a new fork server if the present one is just dying."""
        try:
            return SandboxWorker(self._running_server())
        except WorkerEnded:
            with self._lock:
                if self._server is not None:
                    self._server.process.kill()
                    self._server.close()
                    self._server = None
            return SandboxWorker(self._running_server())

    def _running_server(self) -> ForkServer:
        with self._lock:
            if self._server is None or not self._server.alive():
                self._server = ForkServer()
            return self._server

    def _release(self, worker: SandboxWorker, *, failed: bool) -> None:
        if failed or worker.tasks >= TASKS_PER_WORKER or not worker.server.alive():
            worker.close()
            return
        with self._lock:
            self._idle.append(worker)

    def close(self) -> None:
        with self._lock:
            for worker in self._idle:
                worker.close()
            self._idle.clear()
            if self._server is not None:
                self._server.close()
                self._server = None


def _failure(status: int | None) -> SandboxError:
    """A decoder that crashed on its own will crash again; one that was killed may have been unlucky."""
    own_fault = status is not None and status < 0 and -status not in (signal.SIGKILL, signal.SIGTERM)
    return SandboxError(_how_it_ended(status), lasting=own_fault)


def _how_it_ended(status: int | None) -> str:
    if status == -signal.SIGXCPU:
        return "Reading it used too much processor time and was stopped."
    if status == -signal.SIGKILL:
        return "The process that read it was killed, most likely for using too much memory."
    if status is not None and status < 0:
        return f"Its decoder crashed ({signal.Signals(-status).name})."
    return "The process that read it ended without an answer."


_pool: Pool | None = None
_pool_lock = threading.Lock()


def pool() -> Pool:
    """The pool of this process; a process that was forked off gets its own."""
    global _pool
    with _pool_lock:
        if _pool is None or _pool.owner != os.getpid():
            _pool = Pool(settings.CHILD_POOL)
        return _pool


@atexit.register
def close() -> None:
    """End this process's sandbox workers."""
    global _pool
    with _pool_lock:
        if _pool is not None and _pool.owner == os.getpid():
            _pool.close()
        _pool = None


def warm() -> None:
    """Start what the first task would otherwise wait for."""
    pool().warm()


def ask(name: str, path: Path | None = None, **details: Any) -> protocol.Message:
    """Run the named task of studies.sandbox.worker on a file; raises SandboxError with a reason in plain words."""
    task = {
        "task": name,
        "path": str(path),
        "memory": settings.CHILD_MEMORY_BYTES,
        "cpu": settings.CHILD_CPU_SECONDS,
        "wall": settings.CHILD_WALL_SECONDS,
        **details,
    }
    head, blobs = pool().run(task, wall=task["wall"])
    if "refused" in head:
        raise SandboxError(str(head["reason"]), code=str(head["refused"]), lasting=True)
    if "failed" in head:
        megabytes = settings.CHILD_MEMORY_BYTES // 1024**2
        raise SandboxError(f"Reading it needs more than the {megabytes} MB of memory that one file may use.")
    return head["ok"], blobs


def read_header(path: Path) -> Header:
    """What the header says; raises SandboxError, whose ``lasting`` tells a refused file from a trouble of ours."""
    header, (elements,) = ask("header", path)
    header["whole"]["elements"] = elements
    return cast(Header, header)


def say_the_same(one: Path, other: Path) -> bool:
    """Whether two files hold one data set and equal pixels, however each is written; raises SandboxError."""
    written = [ask("content", path, decoded=False)[0] for path in (one, other)]
    if written[0]["data_set"] != written[1]["data_set"]:
        return False
    if written[0] == written[1]:
        return True
    # Of one encoding the bytes may still differ in padding or in how fragments are cut.
    decoded = [ask("content", path, decoded=True)[0]["pixels"] for path in (one, other)]
    return bool(decoded[0] == decoded[1])


class EncodedFrame(NamedTuple):
    """``data`` is an 8-bit PNG or JPEG, as ``content_type`` says."""

    number: int
    content_type: str
    data: bytes


class GreyFrame(NamedTuple):
    """``data`` is H*W bytes of luma, row by row, of a frame of ``shape`` (H, W)."""

    number: int
    shape: tuple[int, int]
    data: bytes


def decode_frames(path: Path, frames: Sequence[int], *, seconds: float = 0) -> Iterator[EncodedFrame]:
    """The first of ``frames`` always, others as long as ``seconds`` last; raises SandboxError."""
    answer, blobs = ask("display", path, frames=list(frames), seconds=seconds, **_interactive_limits())
    for (number, content_type), blob in zip(answer["frames"], blobs, strict=True):
        yield EncodedFrame(int(number), str(content_type), blob)


def decode_masked(
    path: Path, frames: Sequence[int], windows: Sequence[Sequence[int]], *, seconds: float = 0
) -> Iterator[EncodedFrame]:
    """The same, black outside the windows (``studies.dicom.masked``); raises SandboxError."""
    asked = {"frames": list(frames), "windows": windows, "seconds": seconds}
    answer, blobs = ask("display_masked", path, **asked, **_interactive_limits())
    for (number, content_type), blob in zip(answer["frames"], blobs, strict=True):
        yield EncodedFrame(int(number), str(content_type), blob)


def decode_grey(path: Path, frames: Sequence[int]) -> Iterator[GreyFrame]:
    """Each of ``frames`` in grey; raises SandboxError."""
    answer, blobs = ask("grey", path, frames=list(frames))
    for (number, height, width), blob in zip(answer["frames"], blobs, strict=True):
        yield GreyFrame(int(number), (int(height), int(width)), blob)


def frames_with_flow(path: Path, frames: Sequence[int]) -> dict[int, bool]:
    """Whether each of ``frames`` that can be decoded shows colour Doppler; raises SandboxError."""
    answer, _ = ask("flow", path, frames=list(frames))
    return {int(number): bool(flow) for number, flow in answer["frames"]}


def thumbnail(path: Path, side: int) -> bytes:
    """The middle frame as a JPEG of at most ``side`` pixels; raises SandboxError."""
    _, (data,) = ask("thumbnail", path, side=side, **_interactive_limits())
    return data


def native_frames(path: Path, frames: Sequence[int]) -> list[bytes]:
    """Each of ``frames`` uncompressed, little-endian; raises SandboxError."""
    return ask("native", path, frames=list(frames))[1]


def encoded_frames(path: Path, frames: Sequence[int]) -> list[bytes]:
    """Each of ``frames``, compressed as it is stored; raises SandboxError."""
    return ask("encoded", path, frames=list(frames))[1]


def recoded(path: Path) -> bytes:
    """The file as Explicit VR Little Endian with uncompressed pixels; raises SandboxError."""
    return ask("recoded", path)[1][0]


def value(path: Path, steps: Sequence[str]) -> bytes:
    """The bytes of one value; raises SandboxError."""
    return ask("value", path, steps=list(steps))[1][0]


def rendered(path: Path, frames: Sequence[int], look: Look) -> list[bytes]:
    """Pictures of ``frames``; raises SandboxError."""
    return ask("rendered", path, frames=list(frames), look=look, **_interactive_limits())[1]


def masked_thumbnail(path: Path, side: int, windows: Sequence[Sequence[int]]) -> bytes:
    """The same, black outside the windows; raises SandboxError."""
    _, (data,) = ask("thumbnail_masked", path, side=side, windows=windows, **_interactive_limits())
    return data


def _interactive_limits() -> dict[str, int]:
    """Tighter limits, in seconds, for what a person waits for."""
    wall, cpu = settings.CHILD_WALL_SECONDS, settings.CHILD_CPU_SECONDS
    return {"wall": min(wall, _INTERACTIVE_SECONDS), "cpu": min(cpu, _INTERACTIVE_SECONDS)}
