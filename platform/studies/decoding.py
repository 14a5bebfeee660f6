"""Which way of decoding and showing pixels is in force.

Counted up whenever the same bytes are decoded or shown in another way: pictures and embeddings of an older one are then
never taken from a cache, and ``manage.py reread`` renews what was written down of clips that it touches.
"""

VERSION = 3


def current() -> int:
    """For a column's default."""
    return VERSION
