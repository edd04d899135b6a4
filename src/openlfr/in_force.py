"""Whether faces may be searched now: the deployment that a process works for, as it stands."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.deployment import DeploymentStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openlfr.domain.control import DeploymentState
    from openlfr.domain.deployment import Deployment


_SHOWN = 5  # cameras that a note names


class NotInForce(StrEnum):
    """Why a frame is neither sent nor looked at."""

    UNKNOWN = "unknown"  # nobody has said how the deployment stands, or not for too long
    PAUSED = "paused"  # paused, stopped, closed, or not yet started
    OTHER_CAMERA = "other_camera"  # of a camera that is not the deployment's
    OUTSIDE_HOURS = "outside_hours"


class DeploymentInForce:
    """One deployment of a city, followed while others pause, revise or stop it.

    Nothing is in force until its state is known. Any thread may ask.

    Attributes:
        deployment_id: Never changes.
    """

    def __init__(self, configured: Deployment, *, doubt: Callable[[], str] = lambda: "") -> None:
        """Know nothing yet.

        Args:
            configured: What stands in where the records name no cameras or lists.
            doubt: Why what is known may be out of date, a sentence; empty while it is not.
        """
        self.deployment_id = configured.deployment_id
        self._configured = configured
        self._doubt = doubt
        self._state: DeploymentState | None = None

    def follow(self, state: DeploymentState | None) -> None:
        """Work under this state from now on; None: nobody knows how it stands."""
        self._state = state

    @property
    def state(self) -> DeploymentState | None:
        """As it stands now; None while nobody knows."""
        return self._state

    @property
    def hours(self) -> tuple[datetime, datetime]:
        """From when until when; those of the configuration while nobody knows."""
        known = self._state or self._configured.authorisation
        return known.starts, known.ends

    @property
    def watchlists(self) -> tuple[str, ...]:
        """Which lists are searched."""
        return (self._state and self._state.watchlists) or self._configured.watchlists

    @property
    def status(self) -> str:
        """Where it stands; "unknown" where nobody knows."""
        state = self._state
        return NotInForce.UNKNOWN if state is None or self._doubt() else state.status

    def halted(self, camera: str | None = None) -> NotInForce | None:
        """Why nothing is in force, whatever the moment of capture; None where something may be.

        Args:
            camera: For this one; None: for every camera.
        """
        state = self._state
        if state is None or self._doubt():
            return NotInForce.UNKNOWN
        if state.status is not DeploymentStatus.STARTED:
            return NotInForce.PAUSED
        cameras = state.cameras or self._configured.cameras
        other = camera is not None and cameras and camera not in cameras
        return NotInForce.OTHER_CAMERA if other else None

    def why_not(self, at: datetime, camera: str) -> NotInForce | None:
        """Why a camera's frame of this moment of capture is left out; None where it is not."""
        starts, ends = self.hours
        if why := self.halted(camera):
            return why
        return None if starts <= at < ends else NotInForce.OUTSIDE_HOURS

    @property
    def missing(self) -> str:
        """What is to be done where nobody says how it stands, a sentence for people."""
        return (
            f"The deployment {self._named} is not in force: control.v1 has no state of it (yet). "
            "`openlfr records upgrade` with this configuration records it, and `openlfr service "
            "alerting` publishes it."
        )

    def note(self) -> str:
        """Why nobody is searched for, a sentence for people; empty while it is started."""
        state = self._state
        if doubt := self._doubt():
            return f"Whether the deployment {self._named} is in force is not known: {doubt}"
        if state is None:
            return self.missing
        if state.status is DeploymentStatus.STARTED:
            return ""
        return (
            f"The deployment {state.name!r} ({self.deployment_id}) is {state.status} since "
            f"{state.changed_at:%Y-%m-%d %H:%M:%S} UTC, so no camera is filmed and nobody is "
            "searched for: `openlfr deployment show` says by whom and why."
        )

    def notes(self) -> list[str]:
        """The same for a health page, and which cameras of the configuration are left out."""
        found = [note] if (note := self.note()) else []
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
