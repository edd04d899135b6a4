"""What every worker must know while it runs: who is listed, how deployments stand, heartbeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.deployment import DeploymentStatus
    from openlfr.domain.watchlist import EntryStatus

DEPLOYMENT_KEY_PREFIX = "deployment/"
"""What the key of a deployment begins with; that of an entry is its reference, a UUID."""


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """Where one reference of the watchlist stands now.

    Attributes:
        template_hash: sha256 (hex); a vector that does not carry it does not count.
        expires: Last moment of capture at which it may match, UTC.
        status: Only `ACTIVE` is searched.
        version: Number of the change in the records; a lower one than known is older news.
        changed_at: UTC.
        category: Why it is listed; empty where an earlier version told it.
        entry_hash: Of `watchlist.hash_entry`: a row of the vector store that says another subject
            or list does not count; empty where an earlier version told it.
    """

    reference_id: str
    watchlist: str
    template_hash: str
    expires: datetime
    status: EntryStatus
    version: int
    changed_at: datetime
    category: str = ""
    entry_hash: str = ""

    @property
    def key(self) -> str:
        """Under which it stands on the topic."""
        return self.reference_id


@dataclass(frozen=True, slots=True)
class EntryForgotten:
    """A reference that the records no longer know; nothing of it may be searched."""

    reference_id: str


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """The whole present state of a deployment, but for what was authorised in words.

    Attributes:
        name: Its label.
        status: Only `STARTED` has frames captured and faces searched.
        revision: How often it was changed since it was drafted, from 1.
        starts, ends: The hours, UTC.
        cameras, watchlists: By name; none: not recorded.
        version: Number of the change in the records; a lower one than known is older news.
        changed_at: UTC.
        threshold: From which score a track is a sighting; None where the records have none.
        threshold_origin: Where that comes from; empty where the records have none.
    """

    deployment_id: str
    name: str
    status: DeploymentStatus
    revision: int
    starts: datetime
    ends: datetime
    cameras: tuple[str, ...]
    watchlists: tuple[str, ...]
    version: int
    changed_at: datetime
    threshold: float | None = None
    threshold_origin: str = ""

    @property
    def key(self) -> str:
        """Under which it stands on the topic."""
        return f"{DEPLOYMENT_KEY_PREFIX}{self.deployment_id}"


@dataclass(frozen=True, slots=True)
class DeploymentForgotten:
    """A deployment that the records do not know, or whose state is about to be written anew."""

    deployment_id: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The records are read, and everything up to `version` was told before this.

    Attributes:
        sent_at: UTC.
        version: Number of the newest change in the records.
    """

    sent_at: datetime
    version: int


ControlState = ManifestChange | DeploymentState
"""What replaces what stands under its key, unless its version is lower."""
ControlMessage = ControlState | EntryForgotten | DeploymentForgotten | Heartbeat


def tombstone_of(key: str) -> EntryForgotten | DeploymentForgotten:
    """What takes away what stands under a key."""
    if key.startswith(DEPLOYMENT_KEY_PREFIX):
        return DeploymentForgotten(key.removeprefix(DEPLOYMENT_KEY_PREFIX))
    return EntryForgotten(key)
