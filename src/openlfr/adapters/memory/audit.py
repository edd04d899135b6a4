"""The audit log in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.audit import RecordedAct
from openlfr.domain.principals import OURSELVES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from openlfr.adapters.memory.state import Access, State
    from openlfr.domain.audit import AuditEvent

_FREE = ("reason", "file")  # of an act's detail: what a person typed


def write_events(state: State, events: Sequence[AuditEvent]) -> None:
    """Record acts, numbered in the order of their commits."""
    state.acts += tuple(
        RecordedAct(
            position, event.event_id, event.at, event.by, event.what.kind,
            event.what.object_kind, event.what.object_id, event.what.detail(),
        )
        for position, event in enumerate(events, len(state.acts) + 1)
    )  # fmt: skip


def erase_words(state: State, alert_id: str) -> None:
    """Erase what people wrote in acts about an alert; who they were stays."""
    _change(state, lambda act: _without_words(act) if act.object_id == alert_id else act)


def erase_names(state: State, before: datetime) -> int:
    """Erase who did what to alerts before this moment, and their words; of how many acts."""
    erased = []

    def nameless(act: RecordedAct) -> RecordedAct:
        if act.at >= before or not act.by.name:
            return act
        erased.append(act)
        return replace(_without_words(act), by=replace(act.by, name=""))

    _change(state, nameless)
    return len(erased)


def _change(state: State, change: Callable[[RecordedAct], RecordedAct]) -> None:
    """Change acts of people about alerts, the only ones that have words to erase."""
    state.acts = tuple(
        change(act) if act.object_kind == "alert" and act.by.issuer != OURSELVES else act
        for act in state.acts
    )


def _without_words(act: RecordedAct) -> RecordedAct:
    return replace(act, detail={k: v for k, v in act.detail.items() if k not in _FREE})


class MemoryAuditLog:
    """`AuditLog` of a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def latest(self) -> datetime | None:
        """The latest moment at which anything was done; None before the first act."""
        return max((act.at for act in self._access.reading().acts), default=None)

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Acts in the order of their commits, of one kind of object or one object if given."""
        return [
            act
            for act in self._access.reading().acts
            if object_kind in (None, act.object_kind) and object_id in (None, act.object_id)
        ]
