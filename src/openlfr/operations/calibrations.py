"""Records calibrations, and finds the calibration for a start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_calibrations import CalibrationMade
from openlfr.domain.calibrations import hash_entries
from openlfr.domain.errors import Misconfigured
from openlfr.domain.faces import CONTROL
from openlfr.domain.permissions import Action, require
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.calibrations import Calibration, CalibrationConditions
    from openlfr.domain.principals import Principal
    from openlfr.domain.thresholds import Threshold
    from openlfr.ports import Records


def record_calibration(calibration: Calibration, *, records: Records, by: Principal) -> None:
    """Record a calibration with its act.

    Raises:
        NotAllowed: None of the person's roles allows a calibration.
        Unavailable: The records do not answer.
    """
    require(by, Action.CALIBRATE)
    with records.unit_of_work() as work:
        work.calibrations.add(calibration)
        details = CalibrationMade.from_calibration(calibration)
        work.record(AuditEvent(calibration.made_at, by, details))


def find_calibrated_threshold(
    target_fpir: float,
    conditions: CalibrationConditions,
    *,
    records: Records,
    watchlists: Sequence[str],
    key: bytes,
    at: datetime,
) -> Threshold:
    """Return the threshold of the newest calibration for a target that is valid for this list.

    A calibration is valid for the same models, rules and version, if no entry was added since then.
    Added control subjects do not count: no score against listed people depends on them. Removals
    do not weaken a calibration. A calibration is never scaled to a longer list.

    Args:
        target_fpir: The configured target; a calibration for another target is not used.
        conditions: Models, rules and version of the start.
        records: The recorded calibrations and entries.
        watchlists: Names of the searched lists.
        key: `Vault.derive(calibrations.PURPOSE)`.
        at: Time of the start, UTC.

    Raises:
        Misconfigured: There is no such calibration. The message states the number of added entries,
            or else that the models, rules or version differ, or that the target has none.
    """
    standing = records.watchlist.references(
        watchlists=watchlists,
        statuses=(EntryStatus.ACTIVE, EntryStatus.PENDING, EntryStatus.SUSPENDED),
    )
    listed = {each.entry_hash for each in standing if each.category != CONTROL}
    now = hash_entries(
        {
            each.entry_hash
            for each in standing
            if each.entry_hash in listed
            and each.status is not EntryStatus.SUSPENDED
            and each.expires >= at
        },
        key,
    )
    every = [each for each in records.calibrations.list() if each.target_fpir == target_fpir]
    same = [each for each in every if each.conditions == conditions]
    for each in same:
        if not each.added_entries(now):
            controls = {entry.entry_hash for entry in standing} - listed
            return each.as_threshold(hash_entries(listed, key), controls)
    if same:
        added = min(len(each.added_entries(now)) for each in same)
        entries = "entry was" if added == 1 else "entries were"
        why = f"{added} {entries} added to the list since the last one"
    elif every:
        why = "the last one was made with other models, rules or another version"
    else:
        why = "none is recorded for this target"
    raise Misconfigured(
        f"matching.target_fpir {target_fpir:g} needs a calibration against the present list, and "
        f"{why}: run openlfr calibrate COHORT_DIR, or set matching.threshold instead."
    )
