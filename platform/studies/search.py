"""Studies by words: one search for the waiting list, the list of what was read today and the making of a queue.

Words are compared here and not in the database: SQLite's LIKE folds ASCII alone, PostgreSQL's as its locale says, and
neither takes ``ß`` for ``SS``.
"""

from __future__ import annotations

import re
import unicodedata

from django.db.models import QuerySet
from django.db.models.fields.json import KT

from studies.models import Study

FIELDS = ("uid", "accession", "description", "patient__patient_id", "patient__name")
_BETWEEN = re.compile(r"[,^=]")
"""What stands between the parts of a name, as DICOM writes it and as pages show it."""
_DOT_ABOVE = "\N{COMBINING DOT ABOVE}"
_TURKISH = {"i" + _DOT_ABOVE: "i", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}


def matching(studies: QuerySet[Study], words: str) -> set[int]:
    """The keys of those of the studies in which every word occurs, each in any of FIELDS or in the name
    under which the study was sent; of all where there is none.

    One query. A study matches whatever the case of its letters and of the words, in every script.
    """
    sought = folded(_BETWEEN.sub(" ", words)).split()
    if not sought:
        return set(studies.values_list("pk", flat=True))
    rows = studies.values_list("pk", *FIELDS, KT("as_sent__name")).iterator()
    return {pk for pk, *texts in rows if _holds(folded("\n".join(filter(None, texts))), sought)}


def folded(text: str) -> str:
    """The text without case, for comparison: composed (NFC) and folded as Unicode says (CaseFolding, C and F).

    The dotted and the dotless i of Turkish are one letter: which of them ``I`` and ``İ`` stand for depends on the
    language, and a DICOM name does not tell its own.
    """
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    for letter, plain_letter in _TURKISH.items():
        plain = plain.replace(letter, plain_letter)
    return plain


def _holds(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)
