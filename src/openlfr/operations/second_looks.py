"""Finds the alerts that wait for a second verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.adjudication import AlertState
from openlfr.domain.second_look import PURPOSE, needs_second_look

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedAlert
    from openlfr.ports import Records, Vault


def second_looks(
    records: Records, *, share: float, vault: Vault, now: datetime
) -> list[RecordedAlert]:
    """Find alerts that wait for a second verdict, sorted by the time of their final verdict.

    Args:
        records: Records of the alerts.
        share: Share of decided alerts to review, 0 to 1; inconclusive alerts are added.
        vault: Vault whose key selects the alerts at random.
        now: UTC.
    """
    key = vault.derive(PURPOSE)
    decided = [a for a in records.alerts.list() if a.state is AlertState.DECIDED]
    found = [
        a for a in decided if needs_second_look(records.alerts.case(a.alert_id), share, key, now)
    ]
    return sorted(found, key=lambda alert: (alert.settle_at or now, alert.alert_id))
