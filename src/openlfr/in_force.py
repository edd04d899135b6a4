"""Decides whether frames may be sent and searched, from the deployment's current state."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.deployment import DeploymentStatus, is_within_hours

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openlfr.domain.control import DeploymentState
    from openlfr.domain.deployment import Deployment


_MAX_LISTED = 5  # camera names in one note


class NotInForce(StrEnum):
    """Reason to skip a frame, which is then neither sent nor analysed."""

    UNKNOWN = "unknown"  # no state of the deployment was received, or the state is too old
    PAUSED = "paused"  # paused, stopped, closed, or not yet started
    OTHER_CAMERA = "other_camera"  # the camera is not part of the deployment
    OUTSIDE_HOURS = "outside_hours"


class DeploymentInForce:
    """The current state of one deployment, which people may pause, revise or stop at any time.

    The deployment is not in force while its state is unknown or may be out of date. All methods are
    thread-safe.

    Attributes:
        deployment_id: Id of the deployment; it never changes.
    """

    def __init__(
        self, configured: Deployment, *, find_staleness: Callable[[], str] = lambda: ""
    ) -> None:
        """Start without a known state.

        Args:
            configured: The configured deployment; its cameras and lists are used where the records
                contain none.
            find_staleness: Returns why the known state may be out of date, as a sentence; empty if
                it is up to date.
        """
        self.deployment_id = configured.deployment_id
        self._configured = configured
        self._find_staleness = find_staleness
        self._state: DeploymentState | None = None

    def update(self, state: DeploymentState | None) -> None:
        """Replace the state; None means that the state is unknown."""
        self._state = state

    @property
    def state(self) -> DeploymentState | None:
        """The state that was received last, even if out of date; None while it is unknown."""
        return self._state

    @property
    def hours(self) -> tuple[datetime, datetime]:
        """Authorised start and end; the configured hours while the state is unknown."""
        hours = self._state or self._configured.authorisation
        return hours.starts, hours.ends

    @property
    def watchlists(self) -> tuple[str, ...]:
        """Names of the searched lists; the configured lists if the state is unknown or has none."""
        return (self._state and self._state.watchlists) or self._configured.watchlists

    @property
    def status(self) -> str:
        """The deployment's status; "unknown" while the state is unknown or stale."""
        state = self._state
        return NotInForce.UNKNOWN if state is None or self._find_staleness() else state.status

    def halt_reason(self, camera: str | None = None) -> NotInForce | None:
        """Return why frames are skipped regardless of capture time; None if they are not skipped.

        Args:
            camera: Name of the camera of the frames; None omits the check of the camera.
        """
        state = self._state
        if state is None or self._find_staleness():
            return NotInForce.UNKNOWN
        if state.status is not DeploymentStatus.STARTED:
            return NotInForce.PAUSED
        cameras = state.cameras or self._configured.cameras
        other = camera is not None and cameras and camera not in cameras
        return NotInForce.OTHER_CAMERA if other else None

    def skip_reason(self, at: datetime, camera: str) -> NotInForce | None:
        """Return why a camera's frame with this capture time is skipped; None if it is not."""
        if reason := self.halt_reason(camera):
            return reason
        return None if is_within_hours(at, *self.hours) else NotInForce.OUTSIDE_HOURS

    @property
    def unknown_message(self) -> str:
        """Message that the state is unknown, with the commands that record and publish it."""
        return (
            f"The deployment {self._named} is not in force: control.v1 has no state of it (yet). "
            "`openlfr records upgrade` with this configuration records it, and `openlfr service "
            "alerting` publishes it."
        )

    def status_message(self) -> str:
        """Return why nobody is searched for; empty if the known state is started and not stale."""
        state = self._state
        if staleness := self._find_staleness():
            return f"The state of the deployment {self._named} may be out of date: {staleness}"
        if state is None:
            return self.unknown_message
        if state.status is DeploymentStatus.STARTED:
            return ""
        return (
            f"The deployment {state.name!r} ({self.deployment_id}) is {state.status} since "
            f"{state.changed_at:%Y-%m-%d %H:%M:%S} UTC, so no camera is filmed and nobody is "
            "searched for: `openlfr deployment show` shows the author and the reason."
        )

    def notes(self) -> list[str]:
        """Return the status message, if any, and a sentence about configured cameras left out.

        A camera is left out if the recorded deployment names cameras, but not this one.
        """
        notes = [message] if (message := self.status_message()) else []
        state = self._state
        excluded = sorted({*self._configured.cameras} - {*state.cameras}) if state else []
        if state and state.cameras and excluded:
            more = ", ..." if len(excluded) > _MAX_LISTED else ""
            some = ", ".join(excluded[:_MAX_LISTED]) + more
            notes.append(
                f"{len(excluded)} cameras of this configuration ({some}) are not part of the "
                f"recorded deployment {self._named}, so nobody is searched for in their frames: "
                "`openlfr records upgrade` with this configuration records a revision."
            )
        return notes

    @property
    def _named(self) -> str:
        return f"{self._configured.name!r} ({self.deployment_id})"
