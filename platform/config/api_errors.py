"""One shape for every error of the API: ``detail`` for a person, ``code`` for a program."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's answer, with a code beside the detail; extra facts of the error travel in ``extra``."""
    response = exception_handler(error, context)
    if response is None or not isinstance(response.data, dict):
        return response
    if "detail" in response.data:
        response.data["code"] = getattr(response.data["detail"], "code", exceptions.APIException.default_code)
        response.data.update(getattr(error, "extra", {}))
    return response
