"""What a list was at a moment: its Merkle root and how many stand on it, and nobody's name."""

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
        entry_hash: Of `watchlist.hash_entry`.
        category: Why it is listed; empty where an earlier version did not say.
        subject: None where who searches does not know whom a reference is of.
    """

    entry_hash: str
    watchlist: str
    category: str
    subject: str | None


class SearchedIndex(Protocol):
    """An index that can say what is searched in it."""

    def searched(self) -> Iterable[SearchedEntry]:
        """Each reference of it, expired ones included, in any order."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class ListPart:
    """How many stand on one list for one reason.

    Attributes:
        subjects: None where that is not known.
    """

    watchlist: str
    category: str
    references: int
    subjects: int | None


@dataclass(frozen=True, slots=True)
class ListState:
    """Who is searched, as far as it may be published.

    Attributes:
        root: RFC 6962 tree hash (hex) over the entries' hashes, ascending.
        references: How many entries.
        subjects: How many people; None where that is not known.
        parts: The same by list and category.
        entries: The hashes; empty where only the root is known.
    """

    root: str
    references: int
    subjects: int | None
    parts: tuple[ListPart, ...]
    entries: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @classmethod
    def of(cls, index: SearchedIndex) -> Self:
        """Of what is searched in an index.

        20,000 entries take 0.2 s on busy cores (`python -m benchmarks.list_root`).
        """
        found = list(index.searched())
        references: Counter[tuple[str, str]] = Counter()
        people: dict[tuple[str, str], set[str]] = {}
        for each in found:
            references[each.watchlist, each.category] += 1
            if each.subject is not None:
                people.setdefault((each.watchlist, each.category), set()).add(each.subject)
        known = all(each.subject is not None for each in found)
        everybody = {each.subject for each in found}
        hashes = frozenset(each.entry_hash for each in found)
        return cls(
            root=root_of(hashes),
            references=len(found),
            subjects=len(everybody) if known else None,
            parts=tuple(
                ListPart(*part, number, len(people.get(part, ())) if known else None)
                for part, number in sorted(references.items())
            ),
            entries=hashes,
        )

    @property
    def people(self) -> int:
        """How many people at most: where that is not known each entry counts for one."""
        return self.references if self.subjects is None else self.subjects
