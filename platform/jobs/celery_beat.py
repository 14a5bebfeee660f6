"""Celery's beat without a file: its only entry runs every second, so there is nothing to remember over a restart."""

from __future__ import annotations

from celery.beat import Scheduler


class MemoryScheduler(Scheduler):
    """The schedule of the configuration, kept in memory, so that a worker needs no folder that it may write to."""

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)
