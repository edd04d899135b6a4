"""Which roles may do what.

One table for every way in: the command line, the console and whatever comes later call the same
operations, and those ask here. `operations` add what depends on more than a role: nobody authorises
what they drafted, and nobody takes the second look at what they decided.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.errors import NotAllowed
from openlfr.domain.principals import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.principals import Principal

O, S, A, U, D, F = (  # noqa: E741 - the table's columns
    Role.OPERATOR,
    Role.SUPERVISOR,
    Role.AUTHORISER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
    Role.STREET_OFFICER,
)


class Action(StrEnum):
    """What a person may want to do, as the end of "may not ..."."""

    SEE_FACES = "look at pictures of an alert"
    DECIDE = "decide an alert"
    SECOND_LOOK = "take the second look at an alert"
    SETTLE = "settle a disagreement about an alert"
    RECORD_OUTCOME = "record what became of an alert"
    DRAFT_DEPLOYMENT = "draft or start a deployment"
    AUTHORISE_DEPLOYMENT = "authorise a deployment"
    PAUSE_DEPLOYMENT = "pause or stop a deployment"
    ENROL = "enrol anybody"
    SUSPEND_ENTRY = "suspend or resume an entry"
    REMOVE_ENTRY = "remove an entry"
    AUTHORISE_ENTRY = "authorise an entry"
    HOLD = "hold what would be erased"
    OPEN_SEALED = "open what is sealed"
    CALIBRATE = "set a threshold"
    PURGE = "run a purge"


ALLOWED: Mapping[Action, frozenset[Role]] = {
    Action.SEE_FACES: frozenset({O, S, U, F}),  # U with a reason, F what was sent to them
    Action.DECIDE: frozenset({O, S}),
    Action.SECOND_LOOK: frozenset({O, S}),
    Action.SETTLE: frozenset({S}),
    Action.RECORD_OUTCOME: frozenset({O, S, F}),  # O by radio, F their own
    Action.DRAFT_DEPLOYMENT: frozenset({S}),
    Action.AUTHORISE_DEPLOYMENT: frozenset({A}),
    Action.PAUSE_DEPLOYMENT: frozenset({O, S, A}),
    Action.ENROL: frozenset({S}),
    Action.SUSPEND_ENTRY: frozenset({O, S, A}),
    Action.REMOVE_ENTRY: frozenset({S, A}),
    Action.AUTHORISE_ENTRY: frozenset({A}),
    Action.HOLD: frozenset({S, U}),
    Action.OPEN_SEALED: frozenset({S, U}),
    Action.CALIBRATE: frozenset({S}),
    Action.PURGE: frozenset({S, D}),
}


def require(by: Principal, action: Action) -> None:
    """See that somebody may do it.

    Raises:
        NotAllowed: None of their roles allows it.
    """
    roles = ALLOWED[action]
    if by.roles.isdisjoint(roles):
        needed = " or ".join(sorted(str(role).replace("_", " ") for role in roles))
        raise NotAllowed(f"{by.name} may not {action}: it takes the role {needed}.")
