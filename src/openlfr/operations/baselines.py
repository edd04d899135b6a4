"""Records baselines, for a run or from the messages of city-wide workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_baselines import BaselineOpened
from openlfr.domain.baseline_openings import find_opening, next_opening
from openlfr.domain.errors import Unavailable
from openlfr.domain.principals import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.baseline_openings import BaselineAdoption, Opening
    from openlfr.ports import Records

_MAX_TRIES = 20  # number of processes that may open a baseline of a deployment at the same moment


def open_baseline(
    adoption: BaselineAdoption, *, records: Records, at: datetime, alone: bool = False
) -> Opening:
    """Return the recorded opening of a process's baseline.

    If no opening is recorded, a new opening is recorded with its act, and returned.

    Args:
        adoption: The baseline that the process uses, or is about to use.
        records: Records of the baselines.
        at: Time of the act, UTC.
        alone: Whether this process is the only one that works for the deployment.

    Raises:
        Unavailable: The records do not answer, or other processes opened a baseline at the same
            moment in each of 20 tries.
    """
    deployment = adoption.baseline.deployment
    for _ in range(_MAX_TRIES):
        openings = records.baselines.openings_of(deployment)
        if found := find_opening(openings, adoption, is_alone=alone):
            return found
        with records.unit_of_work() as work:
            known = work.baselines.openings_of(deployment)
            if found := find_opening(known, adoption, is_alone=alone):
                return found
            opening = next_opening(known, adoption)
            if work.baselines.add(opening, at):
                work.record(AuditEvent(at, SYSTEM, BaselineOpened.from_opening(opening)))
                return opening
    raise Unavailable(
        f"A baseline of {deployment} could not be recorded, since too many processes record one at "
        "the same time: try again."
    )
