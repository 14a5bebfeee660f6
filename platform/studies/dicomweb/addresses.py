"""Where studies, series and instances are found: below the site's public address, whatever name a request came by."""

from __future__ import annotations

from django.conf import settings


def service() -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}/dicom-web"


def of_study(uid: str) -> str:
    return f"{service()}/studies/{uid}"


def of_series(study: str, uid: str) -> str:
    return f"{of_study(study)}/series/{uid}"


def of_instance(study: str, series: str, uid: str) -> str:
    return f"{of_series(study, series)}/instances/{uid}"
