"""Ids of sightings: the same for the same sighting, and nobody's to compute without the key."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ids:
    """Names the sightings of one deployment.

    Where an id could be computed from what anybody may know (a camera, a time, a name), it would
    prove after the erasure that somebody had been there. A replay gives the same ids, since the
    key is made of the vault's and the deployment's id.

    Attributes:
        deployment_id: Whose sightings.
        key: 32 bytes, of this deployment alone: `Vault.derive(purpose_of(deployment_id))`.
    """

    deployment_id: str
    key: bytes = field(repr=False)

    def sighting_id(self, camera: str, epoch: int, seq: int, subject: str) -> str:
        """HMAC-SHA256 over what the sighting is, as a UUID of version 8 (RFC 9562, 5.8)."""
        text = "\x1f".join(map(str, (self.deployment_id, camera, epoch, seq, subject)))
        digest = bytearray(hmac.digest(self.key, text.encode(), hashlib.sha256)[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(digest)))


def purpose_of(deployment_id: str) -> str:
    """For which purpose the vault derives the key of a deployment's ids."""
    return f"ids of {deployment_id}"
