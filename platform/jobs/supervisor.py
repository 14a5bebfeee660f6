"""Keeps a few child processes running: restarts those that die, with backoff, and stops them all when told to."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

LONGEST_BACKOFF = 30.0
STEADY_SECONDS = 60.0
GRACE_SECONDS = 25.0
_PR_SET_PDEATHSIG = 1


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the kernel (Linux) signal this process when its parent dies: an orphan would go on with old code."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def help_parent(parent: int, niceness: int) -> None:
    """The start of a process that works for ``parent``: makes way for others, and ends with it, however that ends.

    For pools of processes that are spawned, in which Django is not set up.
    """
    os.nice(niceness)
    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


@dataclass
class Child:
    """One command that is kept running."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    start_at: float = field(default=0.0)

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  our own commands, no shell
            list(self.command), env=self.environment, preexec_fn=die_with_parent
        )

    def look(self) -> None:
        """Start it if it should run and does not; after each death the wait before the next start is longer."""
        now = time.monotonic()
        if self.process is not None and (status := self.process.poll()) is not None:
            self.deaths = 1 if now - self.started > STEADY_SECONDS else self.deaths + 1
            wait = min(LONGEST_BACKOFF, 2.0 ** (self.deaths - 1))
            logger.warning("%s ended with status %s; it starts again in %.0f s", self.name, status, wait)
            self.process, self.start_at = None, now + wait
        if self.process is None and now >= self.start_at:
            self.start()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)


def supervise(children: Sequence[Child], stopping: threading.Event) -> None:
    """Until ``stopping`` is set, keep all running; then SIGTERM, and SIGKILL after GRACE_SECONDS."""
    while not stopping.is_set():
        for child in children:
            child.look()
        stopping.wait(0.2)
    for child in children:
        child.stop()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        _wait(child, deadline)


def _wait(child: Child, deadline: float) -> None:
    if child.process is None:
        return
    try:
        child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        logger.warning("%s did not stop within %.0f s and was killed; its job is taken back", child.name, GRACE_SECONDS)
        child.process.kill()
        child.process.wait()
