"""The fork server: one small process, spawned clean, that forks a sandbox worker whenever its client asks for one.

Importing pydicom, numpy and Pillow takes most of a second, forking a process that has done so takes milliseconds. The
server itself reads no DICOM, has one thread, and ends when its client does; the workers end with it.

The client sends ``f`` with two file descriptors (the worker's channel, and where to write its exit status once it has
ended) or ``k`` with the number of a worker to kill.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import sys

PID = struct.Struct(">i")
_PR_SET_PDEATHSIG = 1


def main(control_fd: int) -> None:
    """Serve the client at the other end of that socket until it closes."""
    control = socket.socket(fileno=control_fd)
    _preload()
    signalled, signal_fd = os.pipe()
    os.set_blocking(signal_fd, False)
    os.set_blocking(signalled, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(signal_fd)
    statuses: dict[int, int] = {}
    while _serve_once(control, signalled, statuses):
        pass
    for pid in statuses:
        os.kill(pid, signal.SIGKILL)


def _preload() -> None:
    # Nothing here goes to a network; without this pydicom imports requests, which nobody needs.
    sys.modules["requests"] = None  # type: ignore[assignment]  # None: cannot be imported
    from studies.sandbox import worker

    worker.preload()


def _serve_once(control: socket.socket, signalled: int, statuses: dict[int, int]) -> bool:
    """Wait for a message or an ended worker; False once the client has hung up. ``statuses``: descriptor by pid."""
    ready, _, _ = select.select([control.fileno(), signalled], [], [])
    if signalled in ready:
        with contextlib.suppress(BlockingIOError):
            os.read(signalled, 4096)
        _reap(statuses)
    if control.fileno() not in ready:
        return True
    message, descriptors, _, _ = socket.recv_fds(control, 16, 2)
    if not message:
        return False
    if message[:1] == b"f":
        _fork_worker(control, descriptors[0], descriptors[1], statuses)
    elif (pid := PID.unpack(message[1:])[0]) in statuses:
        os.kill(pid, signal.SIGKILL)
    return True


def _reap(statuses: dict[int, int]) -> None:
    """Report the exit status of every worker that has ended."""
    for pid in list(statuses):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            descriptor = statuses.pop(pid)
            with contextlib.suppress(OSError):
                os.write(descriptor, PID.pack(os.waitstatus_to_exitcode(status)))
            os.close(descriptor)


def _fork_worker(control: socket.socket, channel_fd: int, status_fd: int, statuses: dict[int, int]) -> None:
    pid = os.fork()
    if pid:
        statuses[pid] = status_fd
        os.close(channel_fd)
        return
    try:
        control.close()
        for descriptor in (status_fd, *statuses.values()):
            os.close(descriptor)
        _run_worker(channel_fd)
    finally:
        os._exit(1)


def _run_worker(channel_fd: int) -> None:
    from studies.sandbox import worker

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    worker.serve(socket.socket(fileno=channel_fd))
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
