"""The actions that each role allows.

All interfaces, such as the command line, call the same operations, which check permissions in this
one table. The package `operations` adds rules that depend on more than a role: nobody may authorise
their own draft, or take the second look at their own decision.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.errors import NotAllowed
from openlfr.domain.principals import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.principals import Principal


class Action(StrEnum):
    """An action that needs a role; its value completes the sentence "<name> may not ..."."""

    SEE_FACES = "look at pictures of an alert"
    DECIDE = "decide an alert"
    SECOND_LOOK = "take the second look at an alert"
    SETTLE = "settle a disputed alert"
    RECORD_OUTCOME = "record the outcome of an alert"
    DRAFT_DEPLOYMENT = "draft or start a deployment"
    AUTHORISE_DEPLOYMENT = "authorise a deployment"
    PAUSE_DEPLOYMENT = "pause or stop a deployment"
    ENROL = "enrol a person"
    SUSPEND_ENTRY = "suspend or resume an entry"
    REMOVE_ENTRY = "remove an entry"
    AUTHORISE_ENTRY = "authorise an entry"
    HOLD = "place or release a hold on an alert"
    OPEN_SEALED = "open sealed pictures"
    CALIBRATE = "set a threshold"
    PURGE = "run a purge"
    CONFIRM_CLOCK = "confirm the clock"
    WRITE_REPORT = "write the report of a deployment"
    PLAN_PASSAGE = "plan a passage of a control subject"
    LOG_PASSAGE = "log a passage of a control subject"


ALLOWED: Mapping[Action, frozenset[Role]] = {
    Action.SEE_FACES: frozenset(
        {Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR, Role.STREET_OFFICER}
    ),  # an auditor must give a reason
    Action.DECIDE: frozenset({Role.OPERATOR, Role.SUPERVISOR}),
    Action.SECOND_LOOK: frozenset({Role.OPERATOR, Role.SUPERVISOR}),
    Action.SETTLE: frozenset({Role.SUPERVISOR}),
    Action.RECORD_OUTCOME: frozenset(
        {Role.OPERATOR, Role.SUPERVISOR, Role.STREET_OFFICER}
    ),  # a street officer only for their own alerts
    Action.DRAFT_DEPLOYMENT: frozenset({Role.SUPERVISOR}),
    Action.AUTHORISE_DEPLOYMENT: frozenset({Role.AUTHORISER}),
    Action.PAUSE_DEPLOYMENT: frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.AUTHORISER}),
    Action.ENROL: frozenset({Role.SUPERVISOR}),
    Action.SUSPEND_ENTRY: frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.AUTHORISER}),
    Action.REMOVE_ENTRY: frozenset({Role.SUPERVISOR, Role.AUTHORISER}),
    Action.AUTHORISE_ENTRY: frozenset({Role.AUTHORISER}),
    Action.HOLD: frozenset({Role.SUPERVISOR, Role.AUDITOR}),
    Action.OPEN_SEALED: frozenset({Role.SUPERVISOR, Role.AUDITOR}),
    Action.CALIBRATE: frozenset({Role.SUPERVISOR}),
    Action.PURGE: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    Action.CONFIRM_CLOCK: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    Action.WRITE_REPORT: frozenset({Role.SUPERVISOR, Role.AUTHORISER, Role.AUDITOR}),
    Action.PLAN_PASSAGE: frozenset({Role.SUPERVISOR}),
    Action.LOG_PASSAGE: frozenset(
        {Role.PASSAGE_OBSERVER}
    ),  # and no role that allows to see or decide alerts
}


def require(by: Principal, action: Action) -> None:
    """Check that a person may take an action.

    Raises:
        NotAllowed: None of the person's roles allows the action.
    """
    roles = ALLOWED[action]
    if by.roles.isdisjoint(roles):
        needed = " or ".join(sorted(str(role).replace("_", " ") for role in roles))
        raise NotAllowed(f"{by.name} may not {action}: the role {needed} is required.")
