"""Rows that are only ever added. Triggers in the database refuse a change, too; these say so first."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class AppendOnlyQuerySet(models.QuerySet[Row]):
    """Rows that nobody changes or takes away, not even in bulk."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self.model._meta.verbose_name} is never changed: add the next one")

    def delete(self) -> NoReturn:
        raise TypeError(f"{self.model._meta.verbose_name} is never deleted")


class AppendOnly(models.Model):
    """History: each row is written once."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{self._meta.verbose_name} is never changed: add the next one")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self._meta.verbose_name} is never deleted")
