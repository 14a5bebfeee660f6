"""``column__dicom_wild="T?st*"``: the wildcards of DICOM (PS3.4, C.2.2.2.4) in the database, case and all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Lookup


def without_repeats(pattern: str) -> str:
    return re.sub(r"\*+", "*", pattern)


if TYPE_CHECKING:
    _Lookup = Lookup[str]
else:
    _Lookup = Lookup  # Django's own has no type arguments


@CharField.register_lookup
class DicomWild(_Lookup):
    lookup_name = "dicom_wild"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """PostgreSQL, whose LIKE knows one case from the other."""
        column, given = self.process_lhs(compiler, connection)
        escaped = re.sub(r"([\\%_])", r"\\\1", without_repeats(self.rhs))
        return f"{column} LIKE %s ESCAPE '\\'", (*given, escaped.replace("*", "%").replace("?", "_"))

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = self.process_lhs(compiler, connection)
        return f"{column} GLOB %s", [*given, without_repeats(self.rhs).replace("[", "[[]")]
