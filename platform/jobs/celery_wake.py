"""Telling Celery that there is work. Only a hint: a broker that is down costs a moment and loses nothing."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from celery import Celery

logger = logging.getLogger(__name__)

WAKE = "jobs.wake"
CONNECT_SECONDS = 0.5
HINT_SECONDS = 60
SILENCE_SECONDS = 10.0
_silent_until = 0.0


@lru_cache(maxsize=1)
def hint_sender(broker: str) -> Celery:
    """An app that only sends, so that neither the web process nor a command needs the worker's configuration."""
    from celery import Celery

    app = Celery("hints", broker=broker, set_as_current=False)
    timeouts = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS, "max_retries": 0}
    app.conf.update(task_ignore_result=True, broker_transport_options=timeouts, broker_pool_limit=1)
    app.conf.update(broker_connection_timeout=CONNECT_SECONDS, broker_connection_retry=False)
    return app


def wake(queue: str) -> None:
    """Send one hint. After a failure none is tried for a while: a dead broker must not hold up uploads."""
    global _silent_until
    if not settings.CELERY_BROKER_URL or time.monotonic() < _silent_until:
        return
    try:
        app = hint_sender(settings.CELERY_BROKER_URL)
        app.send_task(WAKE, args=[], queue=str(queue), retry=False, expires=HINT_SECONDS)
    except Exception as error:  # noqa: BLE001  whatever the broker's client raises, the commit stands
        _silent_until = time.monotonic() + SILENCE_SECONDS
        logger.warning("the broker did not take a hint (%s); workers find the job by themselves", error)


def ask_broker() -> None:
    """Raises, whatever the broker's client raises, where there is a broker and it does not answer."""
    if settings.CELERY_BROKER_URL:
        with hint_sender(settings.CELERY_BROKER_URL).connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
