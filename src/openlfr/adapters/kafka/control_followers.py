"""Consumers of the control topic: one for searchable entries, one for a deployment's state.

`ControlReader` calls the consumers from its thread.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

import structlog

from openlfr.adapters.kafka.searchable_entries import SearchableEntries
from openlfr.domain.control import (
    DEPLOYMENT_KEY_PREFIX,
    DeploymentForgotten,
    DeploymentState,
    EntryForgotten,
    ManifestChange,
)
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from openlfr.domain.control import ControlMessage
    from openlfr.in_force import DeploymentInForce

TEMPLATES_MISSING = "not all of its templates have been read from Milvus yet."

log = structlog.get_logger()


class ControlFollower(Protocol):
    """A consumer of one kind of the topic's messages.

    Attributes:
        counts: Number of messages by outcome.
    """

    counts: Counter[str]

    def accepts(self, key: str) -> bool:
        """Return whether this follower accepts records with this key."""

    def reset(self) -> None:
        """Discard all messages, because the topic is read again; the state in use remains."""

    def apply(self, message: ControlMessage) -> None:
        """Store a message whose key is accepted."""

    def on_invalid(self, key: str) -> None:
        """Handle a record with this key whose signature or content is not valid."""

    def put_in_use(self) -> None:
        """Put the stored messages in use; called several times a second after the first full read.

        Raises:
            Unavailable: Some messages cannot be used, or not yet; the next call tries again.
        """


class WatchlistFollower:
    """A follower that builds the manifest of searchable entries and passes it on.

    Attributes:
        counts: `changes`, and `older` for messages discarded after a newer message.
    """

    def __init__(
        self,
        watchlists: Callable[[], Collection[str]],
        on_manifest: Callable[[Mapping[str, ManifestChange]], bool | None],
    ) -> None:
        """Start without entries.

        Args:
            watchlists: Returns the lists to search, at each call. Entries of other lists are not
                searchable.
            on_manifest: Receives the newest manifest, which is the same object until a change. The
                function must not block. It returns False until the complete manifest is
                in use, and may raise an `OpenLFRError` that states the reason.
        """
        self._watchlists = watchlists
        self._on_manifest = on_manifest
        self.counts: Counter[str] = Counter()
        self._entries = SearchableEntries(watchlists())
        self._manifest: Mapping[str, ManifestChange] | None = None  # None: must be built again

    def accepts(self, key: str) -> bool:
        """Return True for all keys except the keys of deployments."""
        return not key.startswith(DEPLOYMENT_KEY_PREFIX)

    def reset(self) -> None:
        """Discard all entries; the manifest in use remains until the topic was read completely."""
        self._entries = SearchableEntries(self._watchlists())
        self._manifest = None

    def apply(self, message: ControlMessage) -> None:
        """Apply a change of one entry."""
        if isinstance(message, ManifestChange | EntryForgotten):
            outdated_before = self._entries.outdated
            is_changed = self._entries.apply(message)
            self.counts["changes"] += is_changed
            self.counts["older"] += self._entries.outdated - outdated_before
            if is_changed:
                self._manifest = None

    def on_invalid(self, key: str) -> None:
        """Make the entry unsearchable, since the invalid record may have replaced its removal."""
        self.apply(EntryForgotten(key))

    def put_in_use(self) -> None:
        """Pass the manifest to `on_manifest`."""
        if self._entries.set_watchlists(self._watchlists()) or self._manifest is None:
            self._manifest = self._entries.manifest()
        if self._on_manifest(self._manifest) is False:
            raise Unavailable(f"The newest watchlist is not in use: {TEMPLATES_MISSING}")


class StateFollower:
    """A follower of the state of one deployment.

    An invalid record changes nothing: it can neither pause nor start a deployment. If the
    invalid record replaced the valid one, a process that reads the topic again finds no state. That
    process does nothing until the relay has written the state again.

    Attributes:
        counts: `deployments` (applied states), `older` (states with a lower version than the
            present state) and `of_another_deployment`.
    """

    def __init__(self, in_force: DeploymentInForce) -> None:
        """Update `in_force` with the states of its deployment."""
        self._in_force = in_force
        self._state: DeploymentState | None = None
        self._logged = ""
        self.counts: Counter[str] = Counter()

    def accepts(self, key: str) -> bool:
        """Return True for the keys of deployments."""
        return key.startswith(DEPLOYMENT_KEY_PREFIX)

    def reset(self) -> None:
        """Discard the state; the state in force remains until the topic was read completely."""
        self._state = None

    def apply(self, message: ControlMessage) -> None:
        """Store this deployment's state unless its version is below the stored state's."""
        if not isinstance(message, DeploymentState | DeploymentForgotten):
            return
        if message.deployment_id != self._in_force.deployment_id:
            self.counts["of_another_deployment"] += 1
        elif isinstance(message, DeploymentForgotten):
            self._state = None
        elif self._state is not None and message.version < self._state.version:
            self.counts["older"] += 1
            log.warning("older_state_refused", version=message.version, status=message.status)
        else:
            self.counts["deployments"] += message != self._state
            self._state = message

    def on_invalid(self, key: str) -> None:
        """Do nothing: the last valid state remains."""

    def put_in_use(self) -> None:
        """Put the state in force, and log each change."""
        if self._state != self._in_force.state:
            self._in_force.update(self._state)
        self._log()
        if self._state is None:
            raise Unavailable(self._in_force.unknown_message)

    def _log(self) -> None:
        state = self._in_force.state
        text = str(state or self._in_force.unknown_message)
        if text == self._logged:
            return
        self._logged = text
        if state is None:
            log.warning("deployment_unknown", why=self._in_force.unknown_message)
            return
        log.info(
            "deployment",
            status=state.status,
            revision=state.revision,
            version=state.version,
            since=state.changed_at.isoformat(),
            hours=f"{state.starts} to {state.ends}",
            cameras=len(state.cameras),
            watchlists=list(state.watchlists),
        )
        if state.status is not DeploymentStatus.STARTED:
            log.warning("not_in_force", why=self._in_force.status_message())
