"""The audit log in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.alert_records import NameErasures
from openlfr.domain.audit import ClockConfirmed, RecordedAct
from openlfr.domain.erasable import ALERT, erasable_fields, has_erasable_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from openlfr.adapters.memory.state import Access, State
    from openlfr.domain.audit import AuditEvent


def write_events(state: State, events: Sequence[AuditEvent]) -> None:
    """Record acts with numbers in commit order."""
    state.acts += tuple(
        RecordedAct(
            position, event.event_id, event.at, event.by, event.details.kind,
            event.details.object_kind, event.details.object_id, event.details.detail(),
        )
        for position, event in enumerate(events, len(state.acts) + 1)
    )  # fmt: skip


def erase_texts(state: State, object_ids: Collection[str]) -> None:
    """Erase the texts in acts on these alerts or entries; the names of the actors remain."""
    ids = frozenset(object_ids)
    state.acts = tuple(_without_texts(act) if act.object_id in ids else act for act in state.acts)


def erase_names(state: State, before: datetime, retained_alerts: Collection[str]) -> NameErasures:
    """Erase names and texts in acts before this moment, except in acts on retained alerts.

    An act on an entry is changed only if its texts are erased already. Return the number of acts
    whose names were erased, and of acts on retained alerts.
    """
    erased, retained = [], []

    def without_name(act: RecordedAct) -> RecordedAct:
        text_fields = erasable_fields(act.object_kind, act.by.issuer)
        has_entry_texts = act.object_kind != ALERT and text_fields & act.detail.keys()
        has_name = bool(act.by.name) and has_erasable_name(act.object_kind, act.by.issuer)
        if act.at >= before or not has_name or has_entry_texts:
            return act
        if act.object_kind == ALERT and act.object_id in retained_alerts:
            retained.append(act)
            return act
        erased.append(act)
        return replace(_without_texts(act), by=replace(act.by, name=""))

    state.acts = tuple(map(without_name, state.acts))
    return NameErasures(len(erased), len(retained))


def _without_texts(act: RecordedAct) -> RecordedAct:
    text_fields = erasable_fields(act.object_kind, act.by.issuer)
    return replace(act, detail={k: v for k, v in act.detail.items() if k not in text_fields})


class MemoryAuditLog:
    """The `AuditLog` port on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def latest(self) -> RecordedAct | None:
        """Return the act with the latest time among the acts since the last clock confirmation."""
        acts = self._access.reading().acts
        since = max((a.position for a in acts if a.kind == ClockConfirmed.kind), default=0)
        return max(acts[max(0, since - 1) :], key=lambda a: (a.at, a.position), default=None)

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Return the acts in commit order, optionally on one kind of object or one object."""
        return [
            act
            for act in self._access.reading().acts
            if object_kind in (None, act.object_kind) and object_id in (None, act.object_id)
        ]
