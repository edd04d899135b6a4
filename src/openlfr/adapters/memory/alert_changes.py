"""Changes of alerts by people, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.adapters.memory.alerts import MemoryAlerts
from openlfr.adapters.memory.audit import erase_names, erase_words
from openlfr.domain.errors import Conflict
from openlfr.domain.faces import Box
from openlfr.domain.principals import OPENLFR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import Hold, RecordedEvent


class MemoryAlertChanges(MemoryAlerts):
    """`AlertChanges` on a state."""

    def append_changes(self, before: Case, after: Case, event_id: str) -> None:
        """Record the differences between two cases, with the id of their act."""
        with self._access.writing() as state:
            row = state.alerts[after.alert_id]
            if row.case.version != before.version:
                raise Conflict(row.case.changed_since(before.version))
            state.alerts[after.alert_id] = replace(row, case=after)
            state.appended[after.alert_id, after.version] = event_id

    def reject(self, alert_id: str, event_id: str, at: datetime) -> None:
        """Remove a sighting from an alert: it shows another person than the others."""
        with self._access.writing() as state:
            event = state.alert_events[event_id]
            state.alert_events[event_id] = replace(event, rejected_at=at)
            left = [
                each.event.sighting
                for each in state.alert_events.values()
                if each.event.alert_id == alert_id and each.rejected_at is None
            ]
            row = state.alerts[alert_id]
            state.alerts[alert_id] = replace(
                row,
                events=len(left),
                opened_at=min(seen.captured_at for seen in left),
                last_at=max(seen.captured_at for seen in left),
                best_score=max(seen.score for seen in left),
                case=replace(row.case, version=row.case.version + 1),
            )

    def begin_erasing(self, alert_ids: Sequence[str], at: datetime) -> set[str]:
        """Mark alerts that are about to be erased, so that no hold is placed; returns their ids.

        Alerts with a hold are not marked.
        """
        with self._access.writing() as state:
            held = {hold.alert_id for hold in state.holds.values() if hold.is_active(at)}
            begun = set(alert_ids) - held
            for alert_id in begun:
                row = state.alerts[alert_id]
                state.alerts[alert_id] = replace(row, erased_at=row.erased_at or at)
        return begun

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that these events' pictures are erased; erase positions, subject and words."""
        with self._access.writing() as state:
            for key in event_ids:
                state.alert_events[key] = _blank(state.alert_events[key])
            erase_words(state, [alert_id])
            row = state.alerts[alert_id]
            case = replace(
                row.case,
                verdicts=tuple(
                    replace(each, what=replace(each.what, note="")) for each in row.case.verdicts
                ),
                outcomes=tuple(replace(each, note="") for each in row.case.outcomes),
            )
            state.alerts[alert_id] = replace(row, subject="", erased_at=at, case=case)

    def mark_rejected_erased(self, event_ids: Sequence[str]) -> None:
        """Record that the pictures of rejected sightings are erased; erase their cameras."""
        with self._access.writing() as state:
            for key in event_ids:
                blank = _blank(state.alert_events[key])
                nowhere = replace(blank.event.sighting, camera="", epoch=0, seq=0)
                event = replace(blank.event, sighting=nowhere, impossible=None)
                state.alert_events[key] = replace(blank, event=event)

    def erase_names(self, before: datetime) -> int:
        """Erase the names of people in acts before this moment; returns the number of acts."""
        with self._access.writing() as state:
            for key, row in state.alerts.items():
                case = row.case
                state.alerts[key] = replace(
                    row,
                    case=replace(
                        case,
                        verdicts=tuple(
                            replace(v, by=replace(v.by, name=""), what=replace(v.what, note=""))
                            if v.decided_at < before and v.by.issuer != OPENLFR
                            else v
                            for v in case.verdicts
                        ),
                        outcomes=tuple(
                            replace(o, by=replace(o.by, name=""), note="") if o.at < before else o
                            for o in case.outcomes
                        ),
                    ),
                )
            return erase_names(state, before)

    def place_hold(self, hold: Hold) -> None:
        """Record a hold, which keeps an alert from being erased."""
        with self._access.writing() as state:
            state.holds[hold.hold_id] = hold

    def release_hold(self, hold_id: str, at: datetime) -> None:
        """End a hold."""
        with self._access.writing() as state:
            state.holds[hold_id] = replace(state.holds[hold_id], released_at=at)


def _blank(event: RecordedEvent) -> RecordedEvent:
    sighting = replace(event.event.sighting, box=Box(0, 0, 0, 0), reference_id="")
    return replace(event, evidence=None, event=replace(event.event, sighting=sighting))
