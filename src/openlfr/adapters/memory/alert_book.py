"""The alert book in memory: the rule of folding in plain Python, for tests."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from datetime import UTC, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING

from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openlfr.domain.impossible import ImpossibleMatch
    from openlfr.domain.sightings import Sighting

MAX_PER_SIDE = 8  # maximum number of sightings returned from each side


class MemoryAlertBook:
    """The `AlertBook` port in memory; events never expire."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}  # call that folded a sighting, by sighting id
        self._events: dict[str, AlertEvent] = {}
        self._times: dict[tuple[str, str], list[tuple[datetime, str, str]]] = {}
        self._counts: dict[str, Counter[tuple[str, str]]] = {}
        self._opened: dict[str, Counter[tuple[str, str]]] = {}

    def nearest_sightings(self, sighting: Sighting) -> list[Sighting]:
        """Return the subject's nearest stored sightings, up to `MAX_PER_SIDE` on each side."""
        key = (sighting.deployment, sighting.subject)
        stored = [e.sighting for e in self._events.values()]
        others = [
            s
            for s in stored
            if (s.deployment, s.subject) == key and s.sighting_id != sighting.sighting_id
        ]
        by_distance = [(abs(s.captured_at - sighting.captured_at), s) for s in others]
        by_distance.sort(key=itemgetter(0))
        earlier = [s for _, s in by_distance if s.captured_at < sighting.captured_at]
        later = [s for _, s in by_distance if s.captured_at >= sighting.captured_at]
        return [*earlier[:MAX_PER_SIDE], *later[:MAX_PER_SIDE]]

    def has_folded(self, sighting: Sighting, *, call: str = "") -> bool:
        """Return whether `fold` would return None.

        Then another call has folded this sighting, or the stored event is erased.
        """
        folded_by = self._known.get(sighting.sighting_id)
        if folded_by is None:
            return False
        return not (call and folded_by == call and sighting.sighting_id in self._events)

    def fold(
        self,
        sighting: Sighting,
        *,
        window: timedelta,
        call: str = "",
        impossible: ImpossibleMatch | None = None,
    ) -> AlertEvent | None:
        """Join the alert of the nearest sighting within the window, or open an alert.

        Return the event; None if another call folded the sighting, or its event is erased.
        """
        sighting_id = sighting.sighting_id
        if sighting_id in self._known:
            is_same_call = call and self._known[sighting_id] == call
            return self._events.get(sighting_id) if is_same_call else None
        times = self._times.setdefault((sighting.deployment, sighting.subject), [])
        # Of two equally near sightings the earlier counts.
        near = [
            (abs(at - sighting.captured_at), at, alert)
            for at, _, alert in times
            if abs(at - sighting.captured_at) <= window
        ]
        alert_id = min(near)[2] if near else alert_id_of(sighting_id)
        kind = EventKind.JOINED if near else EventKind.OPENED
        event = AlertEvent(kind, event_id_of(sighting_id), alert_id, sighting, impossible)
        self._known[sighting_id] = call
        self._events[sighting_id] = event
        insort(times, (sighting.captured_at, sighting_id, alert_id))
        hour = sighting.captured_at.astimezone(UTC).strftime("%Y-%m-%dT%H")
        counter_key = (sighting.camera, hour)
        self._counts.setdefault(sighting.deployment, Counter())[counter_key] += 1
        if kind is EventKind.OPENED:
            self._opened.setdefault(sighting.deployment, Counter())[counter_key] += 1
        return event

    def move(self, event: AlertEvent) -> None:
        """Move a stored event to another alert; later sightings join that alert."""
        sighting = event.sighting
        if (before := self._events.get(sighting.sighting_id)) is None:
            return
        self._events[sighting.sighting_id] = event
        times = self._times[sighting.deployment, sighting.subject]
        at = (sighting.captured_at, sighting.sighting_id)
        times[times.index((*at, before.alert_id))] = (*at, event.alert_id)
        hour = sighting.captured_at.astimezone(UTC).strftime("%Y-%m-%dT%H")
        opened = self._opened.setdefault(sighting.deployment, Counter())
        opened[sighting.camera, hour] += _opened_count(event) - _opened_count(before)

    def events(self, deployment: str) -> list[AlertEvent]:
        """Return all stored events of the deployment in the order of folding."""
        return [e for e in self._events.values() if e.sighting.deployment == deployment]

    def event_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Return the number of events by (camera, UTC hour as 'YYYY-MM-DDTHH')."""
        return dict(sorted(self._counts.get(deployment, Counter()).items()))

    def opened_alert_counts(self, deployment: str) -> Mapping[tuple[str, str], int]:
        """Return the number of opened alerts, with the keys of `event_counts`."""
        return dict(sorted(self._opened.get(deployment, Counter()).items()))

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """Erase the stored events of these sightings; their ids are retained."""
        for sighting_id in sighting_ids:
            event = self._events.get(sighting_id)
            if event is not None and event.sighting.deployment == deployment:
                del self._events[sighting_id]
                key = (deployment, event.sighting.subject)
                self._times[key] = [t for t in self._times[key] if t[1] != sighting_id]

    def close(self) -> None:
        """Do nothing."""


def _opened_count(event: AlertEvent) -> int:
    return int(event.event is EventKind.OPENED)
