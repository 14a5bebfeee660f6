"""What a request asks for, checked by its serializer."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import BaseSerializer


def checked(serializer: type[BaseSerializer[Any]], data: Any, **options: Any) -> Any:
    """The validated data of a request. Raises ValidationError, which becomes a 400 that names each field."""
    asked = serializer(data=data, **options)
    asked.is_valid(raise_exception=True)
    return asked.validated_data
