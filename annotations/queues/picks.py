"""A study chosen for a queue, and why."""

from __future__ import annotations

from dataclasses import dataclass

MAX_REASON = 200
"""Characters; as the columns of `QueueItem`."""


@dataclass(frozen=True)
class Pick:
    """A chosen study.

    ``why`` is shown to readers before they answer: it tells nothing of what the AI or another reader said. ``reason``
    is the whole one, for admins and for after the commit.
    """

    study: int
    """Its key."""
    why: str
    reason: str = ""
    strategy: str = ""
    """The sampling strategy that chose it; ``random``: its random share; ``filled``: drawn, since it knew no more."""
