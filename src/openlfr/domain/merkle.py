"""The tree hash of RFC 6962: one value that stands for a whole list, of which entries can be shown.

Whoever holds the list computes the root again with any tool that knows Certificate Transparency;
whoever holds the root alone can later be shown that an entry was, or was not, among those.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEAF, _NODE = b"\x00", b"\x01"  # so that no node can be passed off as an entry


def tree_hash(entries: Sequence[bytes]) -> bytes:
    """The Merkle tree hash (RFC 6962, 2.1; SHA-256) of entries in this order.

    >>> tree_hash([]).hex()[:8]
    'e3b0c442'
    """
    if not entries:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(_LEAF + entry).digest() for entry in entries]
    while len(level) > 1:
        # Pairs from the left, an odd one goes up as it is: the largest power of two on the left.
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(_NODE + left + right).digest() for left, right in pairs] + odd
    return level[0]


def root_of(hashes: Iterable[str]) -> str:
    """The root, hex, over a set of hashes (hex): in their own order, each once."""
    return tree_hash(sorted(map(bytes.fromhex, set(hashes)))).hex()
