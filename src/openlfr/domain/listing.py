"""The state of a searched list at a time: its Merkle root and size, without names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from openlfr.domain.merkle import root_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class SearchedEntry(NamedTuple):
    """A reference that is searched.

    Attributes:
        entry_hash: Result of `watchlist.hash_entry`.
        category: Why the person is listed; empty in data of earlier versions.
        subject: Name of the person; None if the searching process does not have the name.
    """

    entry_hash: str
    watchlist: str
    category: str
    subject: str | None


class SearchedIndex(Protocol):
    """An index that lists its references."""

    def searched(self) -> Iterable[SearchedEntry]:
        """Return all references of the index in any order, including expired references."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class ListPart:
    """The size of one category of one list.

    Attributes:
        subjects: Number of people; None if unknown.
    """

    watchlist: str
    category: str
    references: int
    subjects: int | None


@dataclass(frozen=True, slots=True)
class ListState:
    """The publishable state of the searched list.

    Attributes:
        root: RFC 6962 tree hash (hex) over the sorted hashes of the entries.
        references: Number of entries.
        subjects: Number of people; None if unknown.
        parts: The sizes by list and category.
        entries: Hashes of the entries; empty if only the root is known.
    """

    root: str
    references: int
    subjects: int | None
    parts: tuple[ListPart, ...]
    entries: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @classmethod
    def from_index(cls, index: SearchedIndex) -> Self:
        """Return the state of the references in an index.

        20,000 entries take 0.2 s on busy cores (`python -m benchmarks.list_root`).
        """
        entries = list(index.searched())
        references: Counter[tuple[str, str]] = Counter()
        people: dict[tuple[str, str], set[str]] = {}
        for each in entries:
            references[each.watchlist, each.category] += 1
            if each.subject is not None:
                people.setdefault((each.watchlist, each.category), set()).add(each.subject)
        known = all(each.subject is not None for each in entries)
        everybody = {each.subject for each in entries}
        hashes = frozenset(each.entry_hash for each in entries)
        return cls(
            root=root_of(hashes),
            references=len(entries),
            subjects=len(everybody) if known else None,
            parts=tuple(
                ListPart(*part, number, len(people.get(part, ())) if known else None)
                for part, number in sorted(references.items())
            ),
            entries=hashes,
        )

    @property
    def people(self) -> int:
        """Number of people; if it is unknown, each entry counts as one person."""
        return self.references if self.subjects is None else self.subjects
