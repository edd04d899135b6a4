"""Messages of the topic control.v1: changes of entries and deployments, and heartbeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.deployment import DeploymentStatus
    from openlfr.domain.watchlist import EntryStatus

DEPLOYMENT_KEY_PREFIX = "deployment/"
"""Prefix of a deployment's key; the key of an entry is its reference id, a UUID."""


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """The current state of a watchlist entry.

    Attributes:
        template_hash: sha256 (hex); vectors with another hash are ignored.
        expires: Last capture time at which the entry may match, UTC.
        status: Status of the entry; only `ACTIVE` entries are searched.
        version: Number of the change in the records; messages with a lower number are outdated.
        changed_at: UTC.
        category: Why the person is listed; empty in messages of earlier versions.
        entry_hash: Result of `watchlist.hash_entry`; empty in messages of earlier versions. Rows of
            the vector store with another subject or list are ignored.
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
        """The message's key on the topic."""
        return self.reference_id


@dataclass(frozen=True, slots=True)
class EntryForgotten:
    """A message that a watchlist entry is not in the records and must not be searched."""

    reference_id: str


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """The current state of a deployment, without the texts of its authorisation.

    Attributes:
        name: Label of the deployment.
        status: Status of the deployment; only under `STARTED`, frames are captured and faces
            searched.
        revision: Number of the revision; the draft has number 1.
        starts, ends: The authorised hours, UTC.
        cameras, watchlists: Names; empty if they were not recorded.
        version: Number of the change in the records; messages with a lower number are outdated.
        changed_at: UTC.
        threshold: Score from which a track is a sighting; None if no threshold is recorded.
        threshold_origin: Origin of the threshold; empty if no threshold is recorded.
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
        """The message's key on the topic."""
        return f"{DEPLOYMENT_KEY_PREFIX}{self.deployment_id}"


@dataclass(frozen=True, slots=True)
class DeploymentForgotten:
    """A deployment that is not in the records, or whose state is about to be written again."""

    deployment_id: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign that the records can be read, and that all changes up to `version` were published.

    Attributes:
        sent_at: UTC.
        version: Number of the newest change in the records.
    """

    sent_at: datetime
    version: int


ControlState = ManifestChange | DeploymentState
"""A message that replaces the previous message with the same key, unless its version is lower."""
ControlMessage = ControlState | EntryForgotten | DeploymentForgotten | Heartbeat


def tombstone_of(key: str) -> EntryForgotten | DeploymentForgotten:
    """Return the message that deletes the state under a key."""
    if key.startswith(DEPLOYMENT_KEY_PREFIX):
        return DeploymentForgotten(key.removeprefix(DEPLOYMENT_KEY_PREFIX))
    return EntryForgotten(key)
