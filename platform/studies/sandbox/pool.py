"""Disposable child processes, the only place where untrusted DICOM is read.

A pool lives in whichever process asks for it, web or worker, is started by its first task, and is safe to use from
many threads. Each child has limits on memory, CPU and wall time, answers up to ``TASKS_PER_CHILD`` tasks and is
replaced after any failure. A child that crashes, hangs or eats memory is an ordinary ChildFailed about that one file.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from studies.sandbox import protocol
from studies.sandbox.fork_server import PID

TASKS_PER_CHILD = 50
TOO_SLOW = "too_slow"
_START_SECONDS = 30
_PATIENCE_SECONDS = 20
_STATUS_SECONDS = 2
_SOURCE_ROOT = Path(__file__).resolve().parents[2]


class ChildFailed(Exception):
    """A file could not be read. ``reason`` is for a person; ``lasting``: trying again would not help."""

    def __init__(self, reason: str, *, code: str = "child_failed", lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.lasting = lasting


class _ChildEnded(Exception):
    """The child is gone without an answer; ``status`` as of ``os.waitstatus_to_exitcode``, None when unknown."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class Nursery:
    """The process that forks children for this one; see studies.sandbox.fork_server."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(_SOURCE_ROOT),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(  # noqa: S603 - our own module, no argument from outside
            [sys.executable, "-m", "studies.sandbox.fork_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        theirs.close()
        self.control = ours

    def alive(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None

    def send(self, message: bytes, descriptors: Sequence[int] = ()) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        self.control.sendmsg([message], rights)

    def close(self) -> None:
        self.control.close()
        if self.owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=_STATUS_SECONDS)


class Child:
    """One forked reader and the channel to it."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery
        self.tasks = 0
        self.channel, theirs = socket.socketpair()
        self.status, their_status = os.pipe()
        try:
            nursery.send(b"f", [theirs.fileno(), their_status])
        except OSError as error:
            self.close()
            raise _ChildEnded(None) from error
        finally:
            theirs.close()
            os.close(their_status)
        try:
            head, _ = protocol.receive(self.channel, deadline=time.monotonic() + _START_SECONDS)
        except (protocol.Closed, protocol.TooSlow, protocol.Garbled) as error:
            self.close()
            raise _ChildEnded(None) from error
        self.pid = int(head["pid"])

    def run(self, task: dict[str, Any], *, wall: float) -> protocol.Message:
        """One answer, or _ChildEnded, wire.TooSlow, wire.Garbled."""
        self.tasks += 1
        try:
            protocol.send(self.channel, task)
            return protocol.receive(self.channel, deadline=time.monotonic() + wall)
        except (protocol.Closed, OSError) as error:
            raise _ChildEnded(self._exit_status()) from error

    def _exit_status(self) -> int | None:
        ready, _, _ = select.select([self.status], [], [], _STATUS_SECONDS)
        data = os.read(self.status, PID.size) if ready else b""
        return int(PID.unpack(data)[0]) if len(data) == PID.size else None

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self.nursery.send(b"k" + PID.pack(self.pid))
        self.close()

    def close(self) -> None:
        self.channel.close()
        os.close(self.status)


class Pool:
    """At most ``size`` children at work; the others wait their turn."""

    def __init__(self, size: int) -> None:
        self.owner = os.getpid()
        self._turns = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._nursery: Nursery | None = None

    def warm(self) -> None:
        """Start the nursery, without waiting for it."""
        self._living_nursery()

    def run(self, task: dict[str, Any], *, wall: float) -> protocol.Message:
        """Run one task in a child. One that was killed from outside gets a second try: the file is not to blame."""
        with self._turns:
            try:
                return self._once(task, wall)
            except _ChildEnded as end:
                if end.status not in (None, -signal.SIGKILL, -signal.SIGTERM):
                    raise _failure(end.status) from None
            try:
                return self._once(task, wall, fresh=True)
            except _ChildEnded as end:
                raise _failure(end.status) from None

    def _once(self, task: dict[str, Any], wall: float, *, fresh: bool = False) -> protocol.Message:
        child = self._born() if fresh else self._idle_one() or self._born()
        try:
            answer = child.run(task, wall=wall)
        except protocol.TooSlow:
            child.kill()
            raise ChildFailed(f"Reading it took longer than {wall:.0f} s and was stopped.", code=TOO_SLOW) from None
        except protocol.Garbled:
            child.kill()
            raise ChildFailed("The process that read it answered nonsense and was stopped.") from None
        except BaseException:
            child.kill()
            raise
        # A decoder that failed may have spoilt its process before it noticed: the next file gets a fresh one.
        self._give_back(child, failed="ok" not in answer[0])
        return answer

    def _idle_one(self) -> Child | None:
        """A child that waits for work; those that died with their nursery are put away."""
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.nursery.alive():
                    return child
                child.close()
        return None

    def _born(self) -> Child:
        """A new child; from a new nursery if the present one is just dying."""
        try:
            return Child(self._living_nursery())
        except _ChildEnded:
            with self._lock:
                if self._nursery is not None:
                    self._nursery.process.kill()
                    self._nursery.close()
                    self._nursery = None
            return Child(self._living_nursery())

    def _living_nursery(self) -> Nursery:
        with self._lock:
            if self._nursery is None or not self._nursery.alive():
                self._nursery = Nursery()
            return self._nursery

    def _give_back(self, child: Child, *, failed: bool) -> None:
        if failed or child.tasks >= TASKS_PER_CHILD or not child.nursery.alive():
            child.close()
            return
        with self._lock:
            self._idle.append(child)

    def close(self) -> None:
        with self._lock:
            for child in self._idle:
                child.close()
            self._idle.clear()
            if self._nursery is not None:
                self._nursery.close()
                self._nursery = None


def _failure(status: int | None) -> ChildFailed:
    """A decoder that crashed on its own will crash again; one that was killed may have been unlucky."""
    own_doing = status is not None and status < 0 and -status not in (signal.SIGKILL, signal.SIGTERM)
    return ChildFailed(_how_it_ended(status), lasting=own_doing)


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
    """End this process's children."""
    global _pool
    with _pool_lock:
        if _pool is not None and _pool.owner == os.getpid():
            _pool.close()
        _pool = None


def warm() -> None:
    """Start what the first task would otherwise wait for."""
    pool().warm()


def ask(name: str, path: Path | None = None, **details: Any) -> protocol.Message:
    """Run the named task of studies.sandbox.worker on a file; raises ChildFailed with a reason in plain words."""
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
        raise ChildFailed(str(head["reason"]), code=str(head["refused"]), lasting=True)
    if "failed" in head:
        megabytes = settings.CHILD_MEMORY_BYTES // 1024**2
        raise ChildFailed(f"Reading it needs more than the {megabytes} MB of memory that one file may use.")
    return head["ok"], blobs


def read_header(path: Path) -> dict[str, Any]:
    """The facts of studies.dicom.header; ``ChildFailed.lasting`` tells a refused file from a trouble of ours."""
    facts, _ = ask("header", path)
    return facts


def decode_frames(path: Path, frames: Sequence[int], *, seconds: float = 0) -> Iterator[tuple[int, str, bytes]]:
    """(frame, content type, 8-bit PNG or JPEG): the first of ``frames`` always, others as long as ``seconds`` last."""
    facts, blobs = ask("display", path, frames=list(frames), seconds=seconds, **_while_somebody_waits())
    for (number, kind), blob in zip(facts["frames"], blobs, strict=True):
        yield int(number), str(kind), blob


def decode_grey(path: Path, frames: Sequence[int]) -> Iterator[tuple[int, tuple[int, int], bytes]]:
    """(frame, (H, W), H*W bytes of luma) for each of ``frames``."""
    facts, blobs = ask("grey", path, frames=list(frames))
    for (number, height, width), blob in zip(facts["frames"], blobs, strict=True):
        yield int(number), (int(height), int(width)), blob


def thumbnail(path: Path, side: int) -> bytes:
    """The middle frame as a JPEG of at most ``side`` pixels."""
    _, (data,) = ask("thumbnail", path, side=side, **_while_somebody_waits())
    return data


def _while_somebody_waits() -> dict[str, int]:
    """Tighter limits for what a person looks at a spinner for."""
    wall, cpu = settings.CHILD_WALL_SECONDS, settings.CHILD_CPU_SECONDS
    return {"wall": min(wall, _PATIENCE_SECONDS), "cpu": min(cpu, _PATIENCE_SECONDS)}
