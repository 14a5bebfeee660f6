"""The fork server and its sandbox workers, as seen by the process that uses them."""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.sandbox import protocol
from studies.sandbox.fork_server import PID

_START_SECONDS = 30
_STATUS_SECONDS = 2
_SOURCE_ROOT = Path(__file__).resolve().parents[2]


class WorkerEnded(Exception):
    """The worker is gone without an answer; ``status`` as of ``os.waitstatus_to_exitcode``, None when unknown."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class ForkServer:
    """The process that forks sandbox workers for this one; see studies.sandbox.fork_server."""

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


class SandboxWorker:
    """One forked reader and the channel to it."""

    def __init__(self, server: ForkServer) -> None:
        self.server = server
        self.tasks = 0
        self.channel, theirs = socket.socketpair()
        self.status, their_status = os.pipe()
        try:
            server.send(b"f", [theirs.fileno(), their_status])
        except OSError as error:
            self.close()
            raise WorkerEnded(None) from error
        finally:
            theirs.close()
            os.close(their_status)
        try:
            head, _ = protocol.receive(self.channel, deadline=time.monotonic() + _START_SECONDS)
        except (protocol.Closed, protocol.TooSlow, protocol.Garbled) as error:
            self.close()
            raise WorkerEnded(None) from error
        self.pid = int(head["pid"])

    def run(self, task: dict[str, Any], *, wall: float) -> protocol.Message:
        """One answer; raises WorkerEnded, protocol.TooSlow or protocol.Garbled."""
        self.tasks += 1
        try:
            protocol.send(self.channel, task)
            return protocol.receive(self.channel, deadline=time.monotonic() + wall)
        except (protocol.Closed, OSError) as error:
            raise WorkerEnded(self._exit_status()) from error

    def _exit_status(self) -> int | None:
        ready, _, _ = select.select([self.status], [], [], _STATUS_SECONDS)
        data = os.read(self.status, PID.size) if ready else b""
        return int(PID.unpack(data)[0]) if len(data) == PID.size else None

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self.server.send(b"k" + PID.pack(self.pid))
        self.close()

    def close(self) -> None:
        self.channel.close()
        os.close(self.status)
