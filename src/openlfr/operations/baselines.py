"""Baselines: opened in the records, by a run itself or by what a city's workers say."""

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

_TRIES = 20  # processes that open one of the same deployment in the same moment


def open_baseline(
    adoption: BaselineAdoption, *, records: Records, at: datetime, alone: bool = False
) -> Opening:
    """The baseline that a process is in: a new one is recorded with its act, and once only.

    Args:
        adoption: What the process has taken up, or is about to.
        records: Where baselines are recorded.
        at: UTC.
        alone: No other process works for the deployment.

    Raises:
        Unavailable: The records do not answer.
    """
    deployment = adoption.baseline.deployment
    for _ in range(_TRIES):
        if found := find_opening(records.baselines.of(deployment), adoption, alone=alone):
            return found
        with records.unit_of_work() as work:
            known = work.baselines.of(deployment)
            if found := find_opening(known, adoption, alone=alone):
                return found
            opening = next_opening(known, adoption)
            if work.baselines.add(opening, at):
                work.record(AuditEvent(at, SYSTEM, BaselineOpened.of(opening)))
                return opening
    raise Unavailable(f"A baseline of {deployment} could not be opened: too many open at once.")
