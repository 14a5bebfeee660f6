"""Person names as DICOM writes them (PS3.5, 6.2.1). No pydicom here: every process may use it.

A name is kept and given out as it came: up to three groups (alphabetic, ideographic, phonetic) between ``=``, each of
up to five components (family, given, middle, prefix, suffix) between ``^``. Pages show it readably.
"""

from __future__ import annotations

MOST = 324
"""Characters that are kept of a name: five components of 64 and their carets."""
_GROUPS = 3


def groups(written: str) -> list[str]:
    """Alphabetic, ideographic and phonetic, empty where the name has none; of several names the first."""
    found = [group.strip() for group in written.split("\\")[0].split("=")[:_GROUPS]]
    filled = [group if group.strip("^ ") else "" for group in found]
    return [*filled, "", ""][:_GROUPS]


def readable(written: str) -> str:
    """``Family, Given Middle``, then the ideographic and the phonetic group as they are spoken."""
    alphabetic, *others = groups(written)
    spoken = [" ".join(filter(None, _components(group))) for group in others]
    return " · ".join(filter(None, [_listed(alphabetic), *spoken]))


def proper(group: str) -> str:
    """Family, given and middle name of a group, without titles."""
    return " ".join(filter(None, _components(group)[:3]))


def family_and_given(group: str) -> tuple[str, str]:
    """Of a group, or of a name with a comma as people type it."""
    family, *given = _components(group if "^" in group else group.replace(",", "^", 1))
    return family, " ".join(given[:2])


def without_groups(one: str, other: str) -> bool:
    """Whether ``one`` is ``other`` with fewer groups: what it lacks, a device may add."""
    pairs = list(zip(groups(one), groups(other), strict=True))
    return one != other and pairs[0][0] != "" and all(mine in ("", theirs) for mine, theirs in pairs)


def _components(group: str) -> list[str]:
    return [" ".join(part.split()) for part in group.split("^")[:5]]


def _listed(group: str) -> str:
    family, given, middle, prefix, suffix = [*_components(group), "", "", "", "", ""][:5]
    called = " ".join(filter(None, [prefix, given, middle]))
    return ", ".join(filter(None, [family, called, suffix]))
