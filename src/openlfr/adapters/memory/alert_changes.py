"""Changes of alerts by acts, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.adapters.memory.alerts import MemoryAlerts, is_retained
from openlfr.adapters.memory.audit import erase_names, erase_texts
from openlfr.domain.errors import Conflict
from openlfr.domain.faces import Box
from openlfr.domain.principals import OPENLFR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import Hold, NameErasures, RecordedEvent


class MemoryAlertChanges(MemoryAlerts):
    """The `AlertChanges` port on a state."""

    def append_changes(self, before: Case, after: Case, event_id: str) -> None:
        """Record the difference of two cases, with the id of its act."""
        with self._access.writing() as state:
            row = state.alerts[after.alert_id]
            if row.case.version != before.version:
                raise Conflict(row.case.changed_since(before.version))
            state.alerts[after.alert_id] = replace(row, case=after)
            state.appended[after.alert_id, after.version] = event_id

    def reject(self, alert_id: str, event_id: str, at: datetime) -> None:
        """Remove from an alert a sighting that shows another person than the other sightings."""
        with self._access.writing() as state:
            event = state.alert_events[event_id]
            state.alert_events[event_id] = replace(event, rejected_at=at)
            remaining = [
                each.event.sighting
                for each in state.alert_events.values()
                if each.event.alert_id == alert_id and each.rejected_at is None
            ]
            row = state.alerts[alert_id]
            state.alerts[alert_id] = replace(
                row,
                events=len(remaining),
                opened_at=min(sighting.captured_at for sighting in remaining),
                last_at=max(sighting.captured_at for sighting in remaining),
                best_score=max(sighting.score for sighting in remaining),
                case=replace(row.case, version=row.case.version + 1),
            )

    def begin_erasing(self, alert_ids: Sequence[str], at: datetime) -> set[str]:
        """Mark alerts whose erasure begins; return the ids of the marked alerts.

        Alerts with a hold are not marked, nor sealed alerts before the end of their seal.
        """
        with self._access.writing() as state:
            marked = {key for key in alert_ids if not is_retained(state, state.alerts[key], at)}
            for alert_id in marked:
                row = state.alerts[alert_id]
                state.alerts[alert_id] = replace(row, erased_at=row.erased_at or at)
        return marked

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that these events' pictures are erased; erase positions, subject and texts."""
        with self._access.writing() as state:
            for key in event_ids:
                state.alert_events[key] = _without_personal_data(state.alert_events[key])
            erase_texts(state, [alert_id])
            row = state.alerts[alert_id]
            case = replace(
                row.case,
                verdicts=tuple(
                    replace(each, judgement=replace(each.judgement, note=""))
                    for each in row.case.verdicts
                ),
                outcomes=tuple(replace(each, note="") for each in row.case.outcomes),
            )
            state.alerts[alert_id] = replace(row, subject="", erased_at=at, case=case)

    def mark_rejected_erased(self, event_ids: Sequence[str]) -> None:
        """Record that the pictures of rejected events are erased; erase their cameras."""
        with self._access.writing() as state:
            for key in event_ids:
                erased = _without_personal_data(state.alert_events[key])
                sighting = replace(erased.event.sighting, camera="", epoch=0, seq=0)
                event = replace(erased.event, sighting=sighting, impossible=None)
                state.alert_events[key] = replace(erased, event=event)

    def erase_names(self, before: datetime, now: datetime) -> NameErasures:
        """Erase names in acts before this moment, except on held and sealed alerts.

        Return the number of acts whose names were erased, and of acts that were retained.
        """
        with self._access.writing() as state:
            retained = {key for key, row in state.alerts.items() if is_retained(state, row, now)}
            for key, row in state.alerts.items():
                if key in retained:
                    continue
                case = row.case
                state.alerts[key] = replace(
                    row,
                    case=replace(
                        case,
                        verdicts=tuple(
                            replace(
                                v,
                                by=replace(v.by, name=""),
                                judgement=replace(v.judgement, note=""),
                            )
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
            return erase_names(state, before, retained)

    def place_hold(self, hold: Hold) -> None:
        """Record a hold, which prevents the erasure of an alert."""
        with self._access.writing() as state:
            state.holds[hold.hold_id] = hold

    def release_hold(self, hold_id: str, at: datetime) -> None:
        """Record the release of a hold."""
        with self._access.writing() as state:
            state.holds[hold_id] = replace(state.holds[hold_id], released_at=at)


def _without_personal_data(event: RecordedEvent) -> RecordedEvent:
    sighting = replace(event.event.sighting, box=Box(0, 0, 0, 0), reference_id="")
    return replace(event, evidence=None, event=replace(event.event, sighting=sighting))
