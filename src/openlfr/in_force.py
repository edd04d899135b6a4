"""Whether frames may be sent and searched now, by the state of the process's deployment."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.deployment import DeploymentStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openlfr.domain.control import DeploymentState
    from openlfr.domain.deployment import Deployment


_SHOWN = 5  # most camera names in one note


class NotInForce(StrEnum):
    """Why a frame is skipped: neither sent nor analysed."""

    UNKNOWN = "unknown"  # no state of the deployment was received, or none for too long
    PAUSED = "paused"  # paused, stopped, closed, or not yet started
    OTHER_CAMERA = "other_camera"  # the camera is not part of the deployment
    OUTSIDE_HOURS = "outside_hours"


class DeploymentInForce:
    """The current state of one deployment, which people may pause, revise or stop meanwhile.

    The deployment is not in force until its state is known. Safe to call from any thread.

    Attributes:
        deployment_id: Id of the deployment; it never changes.
    """

    def __init__(self, configured: Deployment, *, doubt: Callable[[], str] = lambda: "") -> None:
        """Start without a known state.

        Args:
            configured: The configured deployment, for cameras and lists that the records lack.
            doubt: Returns a sentence why the known state may be out of date; empty if it is not.
        """
        self.deployment_id = configured.deployment_id
        self._configured = configured
        self._doubt = doubt
        self._state: DeploymentState | None = None

    def update(self, state: DeploymentState | None) -> None:
        """Replace the state; None where it is unknown."""
        self._state = state

    @property
    def state(self) -> DeploymentState | None:
        """The current state; None while it is unknown."""
        return self._state

    @property
    def hours(self) -> tuple[datetime, datetime]:
        """Authorised start and end; those of the configuration while the state is unknown."""
        hours = self._state or self._configured.authorisation
        return hours.starts, hours.ends

    @property
    def watchlists(self) -> tuple[str, ...]:
        """Names of the lists that are searched."""
        return (self._state and self._state.watchlists) or self._configured.watchlists

    @property
    def status(self) -> str:
        """The deployment's status; "unknown" while the state is unknown or in doubt."""
        state = self._state
        return NotInForce.UNKNOWN if state is None or self._doubt() else state.status

    def halt_reason(self, camera: str | None = None) -> NotInForce | None:
        """Why all frames are skipped, regardless of their capture time; None where they are not.

        Args:
            camera: Name of the camera whose frames are meant; None for all cameras.
        """
        state = self._state
        if state is None or self._doubt():
            return NotInForce.UNKNOWN
        if state.status is not DeploymentStatus.STARTED:
            return NotInForce.PAUSED
        cameras = state.cameras or self._configured.cameras
        other = camera is not None and cameras and camera not in cameras
        return NotInForce.OTHER_CAMERA if other else None

    def skip_reason(self, at: datetime, camera: str) -> NotInForce | None:
        """Why a camera's frame with this capture time is skipped; None where it is not."""
        starts, ends = self.hours
        if reason := self.halt_reason(camera):
            return reason
        return None if starts <= at < ends else NotInForce.OUTSIDE_HOURS

    @property
    def unknown_message(self) -> str:
        """For people: that the state is unknown, and what to do."""
        return (
            f"The deployment {self._named} is not in force: control.v1 has no state of it (yet). "
            "`openlfr records upgrade` with this configuration records it, and `openlfr service "
            "alerting` publishes it."
        )

    def status_message(self) -> str:
        """For people: why nobody is searched for; empty while the deployment is started."""
        state = self._state
        if doubt := self._doubt():
            return f"Whether the deployment {self._named} is in force is not known: {doubt}"
        if state is None:
            return self.unknown_message
        if state.status is DeploymentStatus.STARTED:
            return ""
        return (
            f"The deployment {state.name!r} ({self.deployment_id}) is {state.status} since "
            f"{state.changed_at:%Y-%m-%d %H:%M:%S} UTC, so no camera is filmed and nobody is "
            "searched for: `openlfr deployment show` says by whom and why."
        )

    def notes(self) -> list[str]:
        """The status message and the configured cameras that are left out, for a health page."""
        found = [message] if (message := self.status_message()) else []
        state = self._state
        left = sorted({*self._configured.cameras} - {*state.cameras}) if state else []
        if state and state.cameras and left:
            some = ", ".join(left[:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
            found.append(
                f"{len(left)} cameras of this configuration ({some}) are not of the deployment "
                f"{self._named} as it is recorded, so nobody is searched for before them: "
                "`openlfr records upgrade` with this configuration records a revision."
            )
        return found

    @property
    def _named(self) -> str:
        return f"{self._configured.name!r} ({self.deployment_id})"
