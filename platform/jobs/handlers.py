"""Who does which kind of job. Handlers are named by dotted path, so that only a worker imports them (and torch)."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.models import Job


class UnknownKind(Exception):
    """No handler is registered for this kind of job."""


def _load(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return loaded


@dataclass(frozen=True)
class Handler:
    """How a kind of job is done: each function is named ``module:function``.

    ``run(JobContext)`` does the work. ``on_quarantine(Job, error)`` and ``on_cancel(Job)`` run inside the transaction
    that ends the job, ``on_claim(Job)`` in the one in which a worker takes it, before the module of ``run`` is loaded.
    ``cancel_at_once``: a running job that is cancelled ends then, and its worker finds that it was taken away;
    otherwise it ends when its handler looks. ``limit_seconds``: a run that lasts longer is taken for a hang; its
    process is ended and the attempt counts.
    """

    run: str
    on_quarantine: str = ""
    on_cancel: str = ""
    on_claim: str = ""
    cancel_at_once: bool = False
    limit_seconds: float | None = None

    def __call__(self, context: object) -> None:
        """Do a job, given its ``JobContext``; that it is one is checked where the handler is written."""
        _load(self.run)(context)

    def quarantined(self, job: Job, error: str) -> None:
        if self.on_quarantine:
            _load(self.on_quarantine)(job, error)

    def cancelled(self, job: Job) -> None:
        if self.on_cancel:
            _load(self.on_cancel)(job)

    def claimed(self, job: Job) -> None:
        if self.on_claim:
            _load(self.on_claim)(job)


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Called in an app's ``ready``. A kind has one handler."""
    if _handlers.get(kind, handler) != handler:
        raise ValueError(f"two handlers for jobs of the kind {kind}")
    _handlers[kind] = handler


def find(kind: str) -> Handler:
    """The handler of a kind. Raises UnknownKind."""
    try:
        return _handlers[kind]
    except KeyError:
        raise UnknownKind(f"nothing here does jobs of the kind {kind}") from None


def registered() -> dict[str, Handler]:
    """All handlers by kind."""
    return dict(_handlers)
