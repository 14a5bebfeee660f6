"""A sandbox worker process: limits on, then one task after another until the pool hangs up."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom.config

from studies.dicom import colour_flow, content, header, masked, pixels, rendering, retrieval, whole_header
from studies.dicom.bounded_reader import Refused
from studies.sandbox import protocol

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.simplefilter("ignore")

_SPARE_SECONDS = 5

Task = dict[str, Any]


def _header(task: Task) -> protocol.Message:
    """The facts and, beside them, the whole header, whose elements travel as bytes."""
    facts = header.read(Path(task["path"]))
    whole, warned = whole_header.read(Path(task["path"]), header.TAGS)
    rest = {name: value for name, value in whole.items() if name != "elements"}
    warnings = [*dict.fromkeys([*facts["warnings"], *warned])]
    return {**facts, "warnings": warnings, "whole": rest}, [whole["elements"]]


def _content(task: Task) -> protocol.Message:
    return dict(content.read(Path(task["path"]), decoded=bool(task["decoded"]))), []


def _display(task: Task) -> protocol.Message:
    frames = list(pixels.display(Path(task["path"]), task["frames"], float(task["seconds"])))
    return {"frames": [(number, kind) for number, kind, _ in frames]}, [data for _, _, data in frames]


def _display_masked(task: Task) -> protocol.Message:
    frames = list(masked.display(Path(task["path"]), task["frames"], task["windows"], float(task["seconds"])))
    return {"frames": [(number, kind) for number, kind, _ in frames]}, [data for _, _, data in frames]


def _grey(task: Task) -> protocol.Message:
    frames = list(pixels.grey(Path(task["path"]), task["frames"]))
    return {"frames": [(number, *luma.shape) for number, luma in frames]}, [luma.tobytes() for _, luma in frames]


def _flow(task: Task) -> protocol.Message:
    return {"frames": list(colour_flow.frames_with_flow(Path(task["path"]), task["frames"]))}, []


def _thumbnail(task: Task) -> protocol.Message:
    return {}, [pixels.thumbnail(Path(task["path"]), task["side"])]


def _native(task: Task) -> protocol.Message:
    return {}, list(retrieval.native_frames(Path(task["path"]), task["frames"]))


def _encoded(task: Task) -> protocol.Message:
    return {}, retrieval.encoded_frames(Path(task["path"]), task["frames"])


def _recoded(task: Task) -> protocol.Message:
    return {}, [retrieval.recoded(Path(task["path"]))]


def _value(task: Task) -> protocol.Message:
    return {}, [retrieval.value(Path(task["path"]), task["steps"])]


def _rendered(task: Task) -> protocol.Message:
    return {}, list(rendering.rendered(Path(task["path"]), task["frames"], task["look"]))


def _thumbnail_masked(task: Task) -> protocol.Message:
    return {}, [masked.thumbnail(Path(task["path"]), task["side"], task["windows"])]


def _crash(task: Task) -> protocol.Message:
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


TASKS: dict[str, Callable[[Task], protocol.Message]] = {
    "header": _header,
    "content": _content,
    "display": _display,
    "display_masked": _display_masked,
    "grey": _grey,
    "flow": _flow,
    "thumbnail": _thumbnail,
    "native": _native,
    "encoded": _encoded,
    "recoded": _recoded,
    "value": _value,
    "rendered": _rendered,
    "thumbnail_masked": _thumbnail_masked,
    "crash": _crash,
}


def preload() -> None:
    """Import what the first task of every worker would otherwise import again, and exempt it from collection."""
    pixels.preload()
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> None:
    """Answer tasks until the pool closes the channel."""
    _discard_output()
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
        # A worker that waits for its next task must not die of the last one's alarm.
        signal.alarm(0)


def _discard_output() -> None:
    """A decoder written in C may print; what it prints goes nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(null, descriptor)


def _limit(task: Task) -> None:
    """Memory for the whole process, CPU time for this task alone; the alarm is for a pool that no longer looks."""
    memory, cpu, wall = int(task["memory"]), int(task["cpu"]), int(task["wall"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + cpu + 1, resource.RLIM_INFINITY))
    signal.alarm(wall + _SPARE_SECONDS)


def _answer(task: Task) -> protocol.Message:
    try:
        facts, blobs = TASKS[task["task"]](task)
    except Refused as refusal:
        return {"refused": refusal.code, "reason": refusal.reason}, []
    except MemoryError:
        return {"failed": "memory"}, []
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises is an answer about this file alone
        if _is_recursion(error):
            return {"refused": "too_deep", "reason": "Its sequences are nested too deeply to be read safely."}, []
        return {"refused": "unreadable", "reason": _reason(error)}, []
    return {"ok": facts}, blobs


def _is_recursion(error: BaseException) -> bool:
    """Also where pydicom, depending on how deep the stack stands, turns a RecursionError into another."""
    while not isinstance(error, RecursionError):
        earlier = error.__cause__ or error.__context__
        if earlier is None:
            return False
        error = earlier
    return True


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    text = "".join(letter for letter in text if letter.isprintable())
    return f"It could not be read: {text or type(error).__name__}"
