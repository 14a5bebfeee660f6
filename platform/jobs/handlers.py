"""Who does which kind of job. Handlers are named by dotted path, so that only a worker imports them (and torch)."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.job_context import JobContext
    from jobs.models import Job

Run = Callable[["JobContext"], None]
OnQuarantine = Callable[["Job", str], None]
OnCancel = Callable[["Job"], None]


class UnknownKind(Exception):
    """No handler is registered for this kind of job."""


def _load(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return loaded


@dataclass(frozen=True)
class Handler:
    """``run`` and the callbacks are ``module:function``. The callbacks run inside the transaction that ends the job.

    ``limit_seconds``: a run that lasts longer is taken for a hang; its process is ended and the attempt counts.
    """

    run: str
    on_quarantine: str = ""
    on_cancel: str = ""
    limit_seconds: float | None = None

    def __call__(self, context: JobContext) -> None:
        _load(self.run)(context)

    def quarantined(self, job: Job, error: str) -> None:
        if self.on_quarantine:
            _load(self.on_quarantine)(job, error)

    def cancelled(self, job: Job) -> None:
        if self.on_cancel:
            _load(self.on_cancel)(job)


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
