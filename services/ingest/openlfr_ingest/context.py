"""The services and options that all cameras of an ingest process share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.adapters.capture import FROZEN_AFTER_S, open_source
from openlfr.adapters.capture.live import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.adapters.capture import Source
    from openlfr.in_force import DeploymentInForce
    from openlfr_ingest.filming import Senders
    from openlfr_ingest.leases import LeaseKeeper


@dataclass(frozen=True, slots=True)
class IngestContext:
    """The services and options of an ingest process.

    Attributes:
        deployment: The state of the deployment; no camera is connected while it is not in force.
        senders: The senders of frames and tallies.
        keeper: The leases of this process.
        as_fast_as_possible: Whether files are read as fast as Kafka accepts frames.
        lossless: Whether files wait for room in the sender, so that none of their frames is lost.
        epoch: Epoch of each camera's first connection; None for an epoch above its last.
        frozen_after_s: Seconds without a frame after which a live connection counts as frozen.
        check_s: Seconds between two checks whether the deployment is in force.
        now: Returns the present time.
        open_source: Opens a camera.
        backoff: Creates the backoff between a camera's attempts to connect.
    """

    deployment: DeploymentInForce
    senders: Senders
    keeper: LeaseKeeper
    as_fast_as_possible: bool = False
    lossless: bool = False
    epoch: int | None = None
    frozen_after_s: float = FROZEN_AFTER_S
    check_s: float = 0.3
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    open_source: Callable[..., Source] = open_source
    backoff: Callable[[], Backoff] = Backoff
