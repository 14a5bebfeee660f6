"""What a production start refuses, by name."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured


def refuse_unsafe_production(
    *, production: bool, debug: bool, secret_is_default: bool, allowed_hosts: Sequence[str]
) -> None:
    """Raise ImproperlyConfigured naming every unsafe setting, if this is a production start."""
    if not production:
        return
    wrong = []
    if secret_is_default:
        wrong.append("SECRET_KEY is the default or shorter than 32 characters: set a long random one")
    if debug:
        wrong.append("DEBUG is on: unset it")
    if not allowed_hosts:
        wrong.append("ALLOWED_HOSTS is empty: name the hosts this site answers to")
    if "*" in allowed_hosts:
        wrong.append("ALLOWED_HOSTS is *: name the hosts this site answers to")
    if wrong:
        raise ImproperlyConfigured("Fontanelle does not start in production. " + ". ".join(wrong) + ".")
