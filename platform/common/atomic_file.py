"""A file that is there whole or not at all. No Django, so that the scientific cores may use it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def replacing(path: Path, *, durable: bool = False, private: bool = False) -> Iterator[BinaryIO]:
    """A temporary file beside ``path`` to write to, renamed over it when the block ends without an exception.

    After an exception the temporary file is gone and ``path`` is as it was. ``durable``: on the disk before it takes
    the name. ``private``: readable by its owner alone. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield cast(BinaryIO, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.chmod(0o600 if private else 0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
