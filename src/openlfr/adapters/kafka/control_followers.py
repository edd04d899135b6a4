"""What becomes of what the control topic says: who is searchable, and how a deployment stands.

`ControlReader` calls them from its thread.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

import structlog

from openlfr.domain.control import (
    OF_DEPLOYMENTS,
    DeploymentForgotten,
    DeploymentState,
    Forgotten,
    ManifestChange,
)
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import Unavailable
from openlfr.domain.searchable import Searchable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from openlfr.domain.control import ControlMessage
    from openlfr.in_force import DeploymentInForce

WATCHLIST_ON_ITS_WAY = "not all of its templates have come from Milvus yet."

log = structlog.get_logger()


class ControlFollower(Protocol):
    """Keeps some of what the topic says.

    Attributes:
        counts: Messages by what became of them.
    """

    counts: Counter[str]

    def wants(self, key: str) -> bool:
        """Whether records with this key are for it."""

    def begin(self) -> None:
        """The topic is read from its beginning: forget what stood there, and use it meanwhile."""

    def take(self, message: ControlMessage) -> None:
        """Keep a message with a key that it wants."""

    def refuse(self, key: str) -> None:
        """What was written under this key cannot be trusted."""

    def use(self) -> None:
        """Put in use what was kept; called several times a second once the topic was read whole.

        Raises:
            Unavailable: It cannot be used, or not the whole of it yet; it is called again.
        """


class WatchlistFollower:
    """Follows who may be searched, and hands each change over.

    Attributes:
        counts: changes, and older: news of an entry that a newer one had overtaken.
    """

    def __init__(
        self,
        watchlists: Callable[[], Collection[str]],
        on_manifest: Callable[[Mapping[str, ManifestChange]], bool | None],
    ) -> None:
        """Know of nobody yet.

        Args:
            watchlists: Asked each time: entries of others are not searchable.
            on_manifest: Is given the newest manifest, the very same while nothing has changed. It
                has to return at once. It gives False as long as it cannot use the whole of it, or
                raises an `OpenLFRError` that says why.
        """
        self._watchlists = watchlists
        self._on_manifest = on_manifest
        self.counts: Counter[str] = Counter()
        self._searchable = Searchable(watchlists())
        self._manifest: Mapping[str, ManifestChange] | None = None  # None: to be made anew

    def wants(self, key: str) -> bool:
        """Every key but a deployment's."""
        return not key.startswith(OF_DEPLOYMENTS)

    def begin(self) -> None:
        """What is in use stays until the topic was read whole."""
        self._searchable = Searchable(self._watchlists())
        self._manifest = None

    def take(self, message: ControlMessage) -> None:
        """Keep where an entry stands."""
        if isinstance(message, ManifestChange | Forgotten):
            older = self._searchable.older
            changed = self._searchable.take(message)
            self.counts["changes"] += changed
            self.counts["older"] += self._searchable.older - older
            if changed:
                self._manifest = None

    def refuse(self, key: str) -> None:
        """It may have been a removal: of whom nothing certain is known nobody is searched."""
        self.take(Forgotten(key))

    def use(self) -> None:
        """Hand the manifest over."""
        if self._searchable.search_in(self._watchlists()) or self._manifest is None:
            self._manifest = self._searchable.manifest()
        if self._on_manifest(self._manifest) is False:
            raise Unavailable(f"Who may be searched is not in use: {WATCHLIST_ON_ITS_WAY}")


class StateFollower:
    """Follows how one deployment stands.

    A record that cannot be trusted changes nothing here: it can neither pause a deployment nor
    start it. Where it has taken the true one's place, a process that reads the topic anew finds
    none, and does nothing until the relay has written it again.

    Attributes:
        counts: deployments (states taken), older (of a version below what is known) and
            of_another_deployment.
    """

    def __init__(self, in_force: DeploymentInForce) -> None:
        """Keep `in_force` up to date with the states of its deployment."""
        self._in_force = in_force
        self._state: DeploymentState | None = None
        self._logged = ""
        self.counts: Counter[str] = Counter()

    def wants(self, key: str) -> bool:
        """A deployment's keys."""
        return key.startswith(OF_DEPLOYMENTS)

    def begin(self) -> None:
        """What is in use stays until the topic was read whole."""
        self._state = None

    def take(self, message: ControlMessage) -> None:
        """Keep how the deployment stands."""
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

    def refuse(self, key: str) -> None:
        """Nothing: what was known is still the last that was really said."""

    def use(self) -> None:
        """Put it in force, and log each change of it."""
        if self._state != self._in_force.state:
            self._in_force.follow(self._state)
        self._log()
        if self._state is None:
            raise Unavailable(self._in_force.missing)

    def _log(self) -> None:
        state = self._in_force.state
        now = str(state or self._in_force.missing)
        if now == self._logged:
            return
        self._logged = now
        if state is None:
            log.warning("deployment_unknown", why=self._in_force.missing)
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
            log.warning("not_in_force", why=self._in_force.note())
