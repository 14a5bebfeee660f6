"""A child's life: limits on, then one task after another until its parent hangs up."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pydicom.config

from studies.dicom import header, pixels
from studies.dicom.bounded_reader import Refused
from studies.sandbox import protocol

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.simplefilter("ignore")

_SPARE_SECONDS = 5


def _crash(task: dict[str, Any]) -> protocol.Message:
    """Fail as a bad file would make a decoder fail: so that the tests can."""
    kind = task["how"]
    if kind == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif kind == "memory":
        bytearray(1 << 40)
    while kind == "spin":
        signal.alarm(0)
    signal.pause()
    return {}, []


TASKS: dict[str, Callable[[dict[str, Any]], protocol.Message]] = {
    "header": header.read,
    "display": pixels.display,
    "grey": pixels.grey,
    "thumbnail": pixels.thumbnail,
    "crash": _crash,
}


def preload() -> None:
    """Import what the first task of every child would otherwise import again, and keep it out of their collections."""
    pixels.preload()
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> None:
    """Answer tasks until the parent closes the channel."""
    _keep_quiet()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    protocol.send(channel, {"pid": os.getpid()})
    while True:
        try:
            task, _ = protocol.receive(channel)
        except protocol.Closed:
            return
        _limit(task)
        protocol.send(channel, *_answer(task))
        # A child that waits for its next task must not die of the last one's alarm.
        signal.alarm(0)


def _keep_quiet() -> None:
    """A decoder written in C may print; what it prints goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(nowhere, descriptor)


def _limit(task: dict[str, Any]) -> None:
    """Memory for the whole process, CPU time for this task alone; the alarm is for a parent that no longer looks."""
    memory, cpu, wall = int(task["memory"]), int(task["cpu"]), int(task["wall"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + cpu + 1, resource.RLIM_INFINITY))
    signal.alarm(wall + _SPARE_SECONDS)


def _answer(task: dict[str, Any]) -> protocol.Message:
    try:
        facts, blobs = TASKS[task["task"]](task)
    except Refused as refusal:
        return {"refused": refusal.code, "reason": refusal.reason}, []
    except MemoryError:
        return {"failed": "memory"}, []
    except RecursionError:
        return {"refused": "too_deep", "reason": "Its sequences are nested too deeply to be read safely."}, []
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises is an answer about this file alone
        return {"refused": "unreadable", "reason": _plain(error)}, []
    return {"ok": facts}, blobs


def _plain(error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    text = "".join(letter for letter in text if letter.isprintable())
    return f"It could not be read: {text or type(error).__name__}"
