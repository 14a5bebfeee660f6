"""Values of settings that have to make sense; what is wrong with one is said by its name."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured


def share(name: str, text: str) -> float | None:
    """A share between 0 and 1, both left out; None where the setting is empty. Raises ImproperlyConfigured."""
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise ImproperlyConfigured(
            f"{name} is {text!r}. It is a share of studies, more than 0 and less than 1, such as 0.058. Leave it "
            "empty if it is not known."
        )
    return value
