"""Finds the alerts for which a second look is due."""

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
    """Find alerts for which a second look is due, sorted by the time of automatic settlement.

    Args:
        records: Records of the alerts.
        share: Share of alerts to review, 0 to 1, among alerts not decided as *cannot tell*; alerts
            decided as *cannot tell* are all reviewed.
        vault: Derives the key of the draw.
        now: UTC.
    """
    key = vault.derive(PURPOSE)
    decided = [a for a in records.alerts.list() if a.state is AlertState.DECIDED]
    found = [
        a for a in decided if needs_second_look(records.alerts.case(a.alert_id), share, key, now)
    ]
    return sorted(found, key=lambda alert: (alert.settle_at or now, alert.alert_id))
