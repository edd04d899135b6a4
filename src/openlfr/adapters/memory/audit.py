"""The audit log in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.audit import ClockConfirmed, RecordedAct
from openlfr.domain.erasable import ALERT, erasable_fields
from openlfr.domain.principals import OPENLFR

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from openlfr.adapters.memory.state import Access, State
    from openlfr.domain.audit import AuditEvent


def write_events(state: State, events: Sequence[AuditEvent]) -> None:
    """Record acts, numbered in the order of their commits."""
    state.acts += tuple(
        RecordedAct(
            position, event.event_id, event.at, event.by, event.what.kind,
            event.what.object_kind, event.what.object_id, event.what.detail(),
        )
        for position, event in enumerate(events, len(state.acts) + 1)
    )  # fmt: skip


def erase_words(state: State, object_ids: Collection[str]) -> None:
    """Erase the words of acts on these alerts or entries; the names of who acted stay."""
    ids = frozenset(object_ids)
    state.acts = tuple(_wordless(act) if act.object_id in ids else act for act in state.acts)


def erase_names(state: State, before: datetime) -> int:
    """Erase names and words of acts before this moment; returns the number of acts.

    Acts on entries are erased only if their words are erased already.
    """
    erased = []

    def nameless(act: RecordedAct) -> RecordedAct:
        words = erasable_fields(act.object_kind, act.by.issuer)
        listed = act.object_kind != ALERT and words & act.detail.keys()
        ours = act.by.issuer == OPENLFR
        if act.at >= before or not act.by.name or ours or not words or listed:
            return act
        erased.append(act)
        return replace(_wordless(act), by=replace(act.by, name=""))

    state.acts = tuple(map(nameless, state.acts))
    return len(erased)


def _wordless(act: RecordedAct) -> RecordedAct:
    words = erasable_fields(act.object_kind, act.by.issuer)
    return replace(act, detail={k: v for k, v in act.detail.items() if k not in words})


class MemoryAuditLog:
    """`AuditLog` of a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def latest(self) -> RecordedAct | None:
        """The act that was done last by its time, of those since the clock was confirmed last."""
        acts = self._access.reading().acts
        since = max((a.position for a in acts if a.kind == ClockConfirmed.kind), default=0)
        return max(acts[max(0, since - 1) :], key=lambda a: (a.at, a.position), default=None)

    def all(
        self, *, object_kind: str | None = None, object_id: str | None = None
    ) -> list[RecordedAct]:
        """Acts in the order of their commits, of one kind of object or one object if given."""
        return [
            act
            for act in self._access.reading().acts
            if object_kind in (None, act.object_kind) and object_id in (None, act.object_id)
        ]
