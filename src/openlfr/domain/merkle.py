"""The Merkle tree hash of RFC 6962, one value that commits to a whole list.

The owner of the list can recompute the root with any tool for Certificate Transparency. The owner
can later prove, to anybody who has only the root, that an entry was or was not in the list.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEAF, _NODE = b"\x00", b"\x01"  # distinct, so that no node passes as an entry


def tree_hash(entries: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash (RFC 6962, 2.1; SHA-256) of entries in this order.

    >>> tree_hash([]).hex()[:8]
    'e3b0c442'
    """
    if not entries:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(_LEAF + entry).digest() for entry in entries]
    while len(level) > 1:
        # Pair from the left; a last node without a partner moves up, so the size of each left
        # subtree is a power of two.
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(_NODE + left + right).digest() for left, right in pairs] + odd
    return level[0]


def root_of(hashes: Iterable[str]) -> str:
    """Return the root (hex) over a set of hashes (hex), sorted and without duplicates."""
    return tree_hash(sorted(map(bytes.fromhex, set(hashes)))).hex()
