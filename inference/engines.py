"""The engines that a worker has loaded. Only workers import this: it needs torch."""

from __future__ import annotations

from inference.core.engine import Engine
from inference.core.manifest import BadModel
from inference.core.weights import read_model
from inference.models import ModelVersion
from inference.registry import folder_of, manifest_of

KEPT = 2
_engines: dict[str, Engine] = {}


def engine_for(model: ModelVersion) -> Engine:
    """The engine of a model version, loaded once. Raises BadModel if its files are not what was installed."""
    found = _engines.pop(model.digest, None)
    if found is None:
        manifest_of(model)
        found = Engine(_read(model))
    _engines[model.digest] = found  # the last used is the last in the order
    while len(_engines) > KEPT:
        del _engines[next(iter(_engines))]
    return found


def _read(model: ModelVersion):  # type: ignore[no-untyped-def]
    try:
        return read_model(folder_of(model))
    except OSError as error:
        raise BadModel(f"its files cannot be read: {error.strerror}") from error


def forget() -> None:
    """Drop all engines, as after an error of the device."""
    _engines.clear()
