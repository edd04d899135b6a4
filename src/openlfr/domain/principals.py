"""Who acts: a person as somebody vouches for them, or a part of OpenLFR."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from openlfr.domain.names import same_person

LOCAL = "local"
"""Issuer of whoever works on the command line: the operating system's account is all that is known,
and the name is what was typed."""
OURSELVES = "openlfr"
"""Issuer of the parts of OpenLFR that act by themselves: they settle, expire and erase."""


class Role(StrEnum):
    """What a person is here for; `domain.permissions` says what each role may do."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AUTHORISER = "authoriser"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    STREET_OFFICER = "street_officer"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who did an act.

    Attributes:
        issuer: Who vouches for the person: an identity provider's address, `LOCAL` or `OURSELVES`.
        subject: The account at the issuer; never used again for somebody else there.
        name: As people know the person; a label.
        roles: Those that the person had when they acted.
    """

    issuer: str
    subject: str
    name: str
    roles: frozenset[Role] = frozenset()

    @property
    def authenticated(self) -> bool:
        """Whether more than an account of the operating system vouches for the name."""
        return self.issuer != LOCAL

    def named(self, name: str) -> Principal:
        """The same account under the name that was given, where nobody vouches for another.

        Raises:
            ValueError: An authenticated person's name is not theirs to choose.
        """
        if self.authenticated and name != self.name:
            raise ValueError(f"{self.name} cannot act as {name}")
        return replace(self, name=name)

    def is_person(self, other: Principal) -> bool:
        """Whether both are one person, so that two of them do not make two persons.

        Of two on the command line only the names differ: a promise of those who type them.
        """
        if LOCAL in (self.issuer, other.issuer):
            return same_person(self.name, other.name)
        return (self.issuer, self.subject) == (other.issuer, other.subject)


def local_principal(account: str, name: str = "") -> Principal:
    """Whoever uses the command line: nobody vouches for the name, and every role is theirs.

    Args:
        account: Of the operating system.
        name: As typed; without one it is the account's.
    """
    return Principal(LOCAL, account, name or account, frozenset(Role))


SYSTEM = Principal(OURSELVES, "system", "system")
"""OpenLFR itself: it carries out what was decided, and erases what is due."""
