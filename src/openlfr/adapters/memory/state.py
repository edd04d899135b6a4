"""The state of the records: frozen rows by key. A transaction changes a copy."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import Hold, RecordedEvent
    from openlfr.domain.audit import RecordedAct
    from openlfr.domain.baseline_openings import Opening
    from openlfr.domain.calibrations import Calibration
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.passages import Passage
    from openlfr.domain.runs import WrittenFiles
    from openlfr.domain.tallies import Tally
    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import Reference


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with its pending steps, as a row of the table `watchlist_references`."""

    entry: Reference
    picture_hash: str
    template: bytes | None
    settled: bool
    added_at: datetime
    changed_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert, as a row of the table `alerts`; its state is computed from its case."""

    alert_id: str
    deployment: str
    subject: str
    watchlist: str
    opened_at: datetime
    last_at: datetime
    best_score: float
    threshold: float
    events: int
    recording: bool
    case: Case
    erased_at: datetime | None = None


@dataclass(slots=True)
class State:
    """The records.

    Attributes:
        version: Number of changes of entries and deployments.
        alert_events: Events by id, with the alert's id in `event`.
        appended: Id of the act by alert id and version of the case; "" without an act.
        merged: Id of the alert into which a published alert was merged, by the published id.
        recorded_at: Time of the last change, by the key of the row.
    """

    version: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    facts: GalleryFacts | None = None
    deployments: dict[str, Deployment] = field(default_factory=dict)
    baselines: dict[tuple[str, int], Opening] = field(default_factory=dict)
    passages: dict[str, Passage] = field(default_factory=dict)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    alert_events: dict[str, RecordedEvent] = field(default_factory=dict)
    appended: dict[tuple[str, int], str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    recorded_at: dict[object, datetime] = field(default_factory=dict)
    files: tuple[WrittenFiles, ...] = ()
    acts: tuple[RecordedAct, ...] = ()

    def copy(self) -> State:
        """Return a state with copied tables."""
        copied = replace(self)
        for each in fields(self):
            if isinstance(table := getattr(self, each.name), dict):
                setattr(copied, each.name, dict(table))
        return copied


class Access(Protocol):
    """Access to the state: each call in its own transaction, or in an open transaction."""

    def reading(self) -> State:
        """Return the present state, which must not be changed."""
        ...

    def writing(self) -> AbstractContextManager[State]:
        """Return a context with a state to change."""
        ...


class OneTransaction:
    """Access within one transaction, which the caller ends."""

    def __init__(self, state: State) -> None:
        self._state = state

    def reading(self) -> State:
        """Return the transaction's state, which includes its own writes."""
        return self._state

    @contextmanager
    def writing(self) -> Iterator[State]:
        """Yield the transaction's state."""
        yield self._state
