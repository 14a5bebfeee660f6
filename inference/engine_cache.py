"""The engines that a worker has loaded. Only workers import this: it needs torch."""

from __future__ import annotations

from inference.core.engine import Engine
from inference.core.manifest import BadModel
from inference.core.weights import LoadedModel, read_model
from inference.models import ModelVersion
from inference.registry import champion, folder_of, manifest_of, refuse

MOST_ENGINES = 2
_engines: dict[str, Engine] = {}


def engine_for(model: ModelVersion) -> Engine:
    """The engine of a model version, loaded once. Raises BadModel if its files are not what was installed."""
    engine = _engines.pop(model.digest, None)
    if engine is None:
        manifest_of(model)
        engine = Engine(_read(model))
    _engines[model.digest] = engine  # the last used is the last in the order
    while len(_engines) > MOST_ENGINES:
        del _engines[next(iter(_engines))]
    return engine


def _read(model: ModelVersion) -> LoadedModel:
    try:
        return read_model(folder_of(model))
    except OSError as error:
        raise BadModel(f"its files cannot be read: {error.strerror}") from error


def warm() -> None:
    """Load the champion before the first study waits for it; one that is not whole is refused at once."""
    model = champion()
    while model is not None:
        try:
            engine_for(model)
        except BadModel as error:
            model = refuse(model, str(error))
        else:
            return
