"""Principals: the people and the parts of OpenLFR that act."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from openlfr.domain.names import is_same_person

LOCAL = "local"
"""Issuer of principals on the command line: the operating system confirms the account, but nobody
confirms the typed name."""
OPENLFR = "openlfr"
"""Issuer of the parts of OpenLFR that settle, expire and erase automatically."""
ALTERED = "(altered)"
"""Name of a person in the records whose stored name does not match its hash in the audit log."""


class Role(StrEnum):
    """A person's role; `domain.permissions` lists the actions of each role."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AUTHORISER = "authoriser"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    STREET_OFFICER = "street_officer"
    PASSAGE_OBSERVER = "passage_observer"  # walks with control subjects, and sees no alerts


@dataclass(frozen=True, slots=True)
class Principal:
    """The author of an act.

    Attributes:
        issuer: Source of the identity: an identity provider's address, `LOCAL` or `OPENLFR`.
        subject: The account at the issuer, which never assigns the account to another person.
        name: Display name.
        roles: The person's roles at the time of the act.
    """

    issuer: str
    subject: str
    name: str
    roles: frozenset[Role] = frozenset()

    @property
    def is_authenticated(self) -> bool:
        """True if an identity provider, or OpenLFR itself, confirms the name."""
        return self.issuer != LOCAL

    def with_name(self, name: str) -> Principal:
        """Return the same account with a typed name.

        Raises:
            ValueError: The person is authenticated under another name.
        """
        if self.is_authenticated and name != self.name:
            raise ValueError(f"{self.name} cannot act as {name}")
        return replace(self, name=name)

    def is_same_person(self, other: Principal) -> bool:
        """Return whether two principals are the same person.

        Accounts are compared if both people are authenticated. On the command line, only
        the typed names distinguish people, so the rule depends on the honesty of these people. If
        one name was erased or altered, the same account counts as the same person.
        """
        has_same_account = (self.issuer, self.subject) == (other.issuer, other.subject)
        if has_same_account and not (self.is_identifiable and other.is_identifiable):
            return True
        if LOCAL in (self.issuer, other.issuer):
            return is_same_person(self.name, other.name)
        return has_same_account

    @property
    def is_identifiable(self) -> bool:
        """True if an account, or else a readable name, identifies one person."""
        return self.is_authenticated or self.name not in ("", ALTERED)


def local_principal(account: str, name: str = "") -> Principal:
    """Return the user of the command line, who has an unconfirmed name and all roles.

    Args:
        account: Account of the operating system.
        name: The typed name; empty for the name of the account.
    """
    return Principal(LOCAL, account, name or account, frozenset(Role))


SYSTEM = Principal(OPENLFR, "system", "system")
"""OpenLFR itself, which executes decisions and erases expired data."""
