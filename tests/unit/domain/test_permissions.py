"""The permissions in the console's table, and those of the command line's principal."""

from dataclasses import replace

import pytest

from openlfr.domain.errors import NotAllowed
from openlfr.domain.permissions import ALLOWED, Action, require
from openlfr.domain.principals import SYSTEM, Principal, Role, local_principal

ANN = Principal("https://people.example", "ann", "Ann Smith", frozenset({Role.OPERATOR}))


@pytest.mark.parametrize("action", Action)
def test_every_action_has_a_role_and_the_command_line_has_every_role(action):
    assert ALLOWED[action]
    require(local_principal("root"), action)
    with pytest.raises(NotAllowed, match=r"Nobody may not .*: the role"):
        require(Principal("https://people.example", "n", "Nobody"), action)
    with pytest.raises(NotAllowed):
        require(SYSTEM, action)  # what it does by itself is no act of a person


def test_a_role_permits_exactly_the_operations_in_the_table():
    require(ANN, Action.DECIDE)
    require(ANN, Action.SUSPEND_ENTRY)
    with pytest.raises(NotAllowed, match=r"Ann Smith may not enrol a person: .* role supervisor"):
        require(ANN, Action.ENROL)
    with pytest.raises(NotAllowed, match=r"remove an entry: .* role authoriser or supervisor"):
        require(ANN, Action.REMOVE_ENTRY)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # On the command line a name is all there is.
        (local_principal("root", "Ann Smith"), local_principal("root", "Bob Jones"), False),
        (local_principal("root", "Ann Smith"), local_principal("other", "SMITH, Ann"), True),
        # Elsewhere the account is: two of one name are two, one of two names is one.
        (ANN, Principal(ANN.issuer, "ann2", "Ann Smith"), False),
        (ANN, Principal(ANN.issuer, "ann", "Ann Jones"), True),
        (ANN, Principal("https://others.example", "ann", "Bob Jones"), False),
        # Nobody becomes a second person by leaving the console.
        (ANN, local_principal("root", "Ann Smith"), True),
        (ANN, local_principal("root", "Bob Jones"), False),
        # Nobody becomes a second person by an erased or altered name.
        (replace(local_principal("root"), name=""), local_principal("root", "Bob Jones"), True),
        (local_principal("root", "(altered)"), local_principal("root", "Bob Jones"), True),
        (replace(local_principal("root"), name=""), local_principal("other", "Bob Jones"), False),
    ],
)
def test_different_accounts_count_as_different_people(one, other, same):
    assert one.is_same_person(other) is same
    assert other.is_same_person(one) is same


def test_only_an_unauthenticated_account_chooses_its_name():
    assert local_principal("root").with_name("Ann").name == "Ann"
    assert ANN.with_name("Ann Smith") is not None
    with pytest.raises(ValueError, match="Ann Smith cannot act as Bob"):
        ANN.with_name("Bob")
