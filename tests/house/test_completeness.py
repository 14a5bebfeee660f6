"""Nothing is forgotten: every address answers every role, every hint has its task, every setting its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from accounts.roles import Role
from config.celery import app as celery_app
from jobs import queue, tasks
from jobs.celery_wake import WAKE
from jobs.clock import database_now
from jobs.models import Job, JobStatus, Queue
from jobs.worker import Worker

celery_app.loader.import_default_modules()
UID = "2.25.1"
FILLING = {"int": "1", "str": UID, "slug": "x", "uuid": "00000000-0000-0000-0000-000000000000", "path": UID}
CONVERTER = re.compile(r"<(?:(\w+):)?\w+>")
OURS = (
    "accounts",
    "jobs",
    "live",
    "studies",
    "inference",
    "annotations",
    "worklist",
    "training",
    "config",
    "drf_spectacular",
)


def _leaves(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _leaves(entry, here)
        else:
            yield here, entry


def _addresses() -> list[str]:
    """One address for each of our routes, with something harmless in each placeholder."""
    routes = (route for route, leaf in _leaves(get_resolver()) if leaf.callback.__module__.startswith(OURS))
    plain = (CONVERTER.sub(lambda found: FILLING[found.group(1) or "str"], route) for route in routes)
    return sorted({"/" + re.sub(r"[\^$\\]|\(\?P.*?\)", "", route) for route in plain})


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, *Role.values])
@pytest.mark.parametrize("address", _addresses())
def test_every_address_answers_every_role_without_breaking(address: str, role: str | None) -> None:
    client = Client(raise_request_exception=True)
    if role is not None:
        client.force_login(User.objects.create_user("someone", role=role))
    assert client.get(address, HTTP_ACCEPT="text/html").status_code < 500


@pytest.mark.django_db
@pytest.mark.parametrize("address", [a for a in _addresses() if a.startswith(("/api/v1/", "/dicom-web/"))])
def test_no_data_goes_to_a_stranger(address: str) -> None:
    assert Client().get(address).status_code in {401, 403, 404, 405}


def test_celery_has_a_task_for_the_hint_and_nothing_that_waits_for_the_broker() -> None:
    assert WAKE in celery_app.tasks
    assert not celery_app.conf.beat_schedule


@pytest.mark.django_db
def test_a_worker_of_celery_takes_back_the_job_of_a_worker_that_died() -> None:
    job = queue.enqueue("any", key="left behind", payload={}, queue=Queue.TRAIN)
    assert queue.claim([Queue.TRAIN], "who died") is not None
    Job.objects.update(lease_until=database_now() - timedelta(seconds=1))
    Worker(tasks._served(celery_app)).step()
    assert Job.objects.get(pk=job.pk).status == JobStatus.QUEUED


def test_every_management_command_can_be_imported() -> None:
    from django.core.management import get_commands, load_command_class

    ours = {name: app for name, app in get_commands().items() if app in OURS}
    assert ours
    for name, app in ours.items():
        assert load_command_class(str(app), name).help
