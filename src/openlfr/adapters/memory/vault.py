"""The vault in memory, for tests and for measurements that must leave no data."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from openlfr.adapters.vault.files import Sealer, split_name
from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from datetime import datetime


class MemoryVault:
    """The `Vault` port in memory; its key is random and never stored."""

    def __init__(self) -> None:
        self._sealer = Sealer(secrets.token_bytes(32))
        self._blobs: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        """Store or replace a blob."""
        split_name(name)
        self._blobs[name] = self._sealer.seal(name, content)

    def get(self, name: str) -> bytes:
        """Return the content of a blob; raise BadInput if there is no blob of this name."""
        try:
            return self._sealer.unseal(name, self._blobs[name])
        except KeyError:
            raise BadInput(f"There is no {name!r} in the vault.") from None

    def delete(self, name: str) -> None:
        """Erase a blob; an unknown name is ignored."""
        self._blobs.pop(name, None)

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of all blobs that start with `prefix`, sorted."""
        return sorted(name for name in self._blobs if name.startswith(prefix))

    def erase_unfinished(self, before: datetime) -> int:  # noqa: ARG002
        """Return 0: a blob in memory is never incomplete."""
        return 0

    def derive(self, purpose: str) -> bytes:
        """Return the key of 32 bytes for one purpose, the same in every call."""
        return self._sealer.derive(purpose)

    def seal(self, name: str, content: bytes) -> bytes:
        """Encrypt content that is stored elsewhere."""
        return self._sealer.seal(name, content)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Decrypt the result of `seal`; raise BadInput if it was altered."""
        return self._sealer.unseal(name, sealed)
