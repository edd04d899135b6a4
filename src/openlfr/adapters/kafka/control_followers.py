"""Consumers of the control topic: the searchable entries, and the state of a deployment.

`ControlReader` calls them from its thread.
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

TEMPLATES_MISSING = "not all of its templates have come from Milvus yet."

log = structlog.get_logger()


class ControlFollower(Protocol):
    """Keeps one kind of the topic's messages and puts them in use.

    Attributes:
        counts: Number of messages by what became of them.
    """

    counts: Counter[str]

    def accepts(self, key: str) -> bool:
        """Whether records with this key are for this follower."""

    def reset(self) -> None:
        """Forget every message: the topic is read from its beginning. What is in use stays."""

    def apply(self, message: ControlMessage) -> None:
        """Keep a message whose key is accepted."""

    def on_invalid(self, key: str) -> None:
        """Handle a record with this key that cannot be trusted."""

    def put_in_use(self) -> None:
        """Put the kept messages in use; called several times a second after the first full read.

        Raises:
            Unavailable: They cannot be used, or not all of them yet; the next call tries again.
        """


class WatchlistFollower:
    """Follows the searchable entries and hands over each change.

    Attributes:
        counts: `changes`, and `older` for messages discarded since a newer one came before.
    """

    def __init__(
        self,
        watchlists: Callable[[], Collection[str]],
        on_manifest: Callable[[Mapping[str, ManifestChange]], bool | None],
    ) -> None:
        """Start without entries.

        Args:
            watchlists: Returns the lists to search; called each time. Entries of other lists are
                not searchable.
            on_manifest: Receives the newest manifest, the same object while nothing has changed.
                It must return at once: False as long as it cannot use the whole manifest. It may
                raise an `OpenLFRError` that states the reason.
        """
        self._watchlists = watchlists
        self._on_manifest = on_manifest
        self.counts: Counter[str] = Counter()
        self._entries = SearchableEntries(watchlists())
        self._manifest: Mapping[str, ManifestChange] | None = None  # None: to be built again

    def accepts(self, key: str) -> bool:
        """Every key except those of deployments."""
        return not key.startswith(DEPLOYMENT_KEY_PREFIX)

    def reset(self) -> None:
        """Forget every entry; the manifest in use stays until the topic was read whole."""
        self._entries = SearchableEntries(self._watchlists())
        self._manifest = None

    def apply(self, message: ControlMessage) -> None:
        """Apply a change of one entry."""
        if isinstance(message, ManifestChange | EntryForgotten):
            outdated = self._entries.outdated
            changed = self._entries.apply(message)
            self.counts["changes"] += changed
            self.counts["older"] += self._entries.outdated - outdated
            if changed:
                self._manifest = None

    def on_invalid(self, key: str) -> None:
        """Make the entry unsearchable: the record may have been its removal."""
        self.apply(EntryForgotten(key))

    def put_in_use(self) -> None:
        """Hand the manifest over."""
        if self._entries.set_watchlists(self._watchlists()) or self._manifest is None:
            self._manifest = self._entries.manifest()
        if self._on_manifest(self._manifest) is False:
            raise Unavailable(f"The newest watchlist is not in use: {TEMPLATES_MISSING}")


class StateFollower:
    """Follows the state of one deployment.

    A record that cannot be trusted changes nothing here: it can neither pause a deployment nor
    start it. Where it replaced the true record, a process that reads the topic again finds no
    state, and does nothing until the relay has written the state again.

    Attributes:
        counts: `deployments` (states applied), `older` (states with a lower version than the known
            one) and `of_another_deployment`.
    """

    def __init__(self, in_force: DeploymentInForce) -> None:
        """Keep `in_force` up to date with the states of its deployment."""
        self._in_force = in_force
        self._state: DeploymentState | None = None
        self._logged = ""
        self.counts: Counter[str] = Counter()

    def accepts(self, key: str) -> bool:
        """Keys of deployments."""
        return key.startswith(DEPLOYMENT_KEY_PREFIX)

    def reset(self) -> None:
        """Forget the state; the state in force stays until the topic was read whole."""
        self._state = None

    def apply(self, message: ControlMessage) -> None:
        """Keep the deployment's newest state."""
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
        """Do nothing: the last valid state stays the newest."""

    def put_in_use(self) -> None:
        """Put the state in force, and log each change of it."""
        if self._state != self._in_force.state:
            self._in_force.update(self._state)
        self._log()
        if self._state is None:
            raise Unavailable(self._in_force.unknown_message)

    def _log(self) -> None:
        state = self._in_force.state
        now = str(state or self._in_force.unknown_message)
        if now == self._logged:
            return
        self._logged = now
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
