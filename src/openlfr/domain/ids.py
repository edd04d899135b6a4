"""Ids of sightings, which a replay reproduces, and which nobody can compute without the key."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ids:
    """Computes the ids of one deployment's sightings.

    An id computed only from a camera, a time and a name would prove, even after the erasure, that
    the person was there. So the computation needs a key. A replay produces the same ids, since the
    key is derived from the vault's key and the deployment's id.

    Attributes:
        deployment_id: Id of the deployment.
        key: 32 bytes, for this deployment only: `Vault.derive(purpose_of(deployment_id))`.
    """

    deployment_id: str
    key: bytes = field(repr=False)

    def sighting_id(self, camera: str, epoch: int, seq: int, subject: str) -> str:
        """Return the HMAC-SHA256 of the sighting's identity as a version 8 UUID (RFC 9562, 5.8)."""
        text = "\x1f".join(map(str, (self.deployment_id, camera, epoch, seq, subject)))
        digest = bytearray(hmac.digest(self.key, text.encode(), hashlib.sha256)[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(digest)))


def purpose_of(deployment_id: str) -> str:
    """Return the purpose for which the vault derives the key of a deployment's ids."""
    return f"ids of {deployment_id}"
