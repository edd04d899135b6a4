"""A reason of spaces alone is no reason, in every operation."""

from datetime import UTC, datetime

import pytest

from openlfr.adapters.sql.records import Records
from openlfr.domain.adjudication import DecisionTimes, Judgement
from openlfr.domain.alerts import Adjudication
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import local_principal
from openlfr.domain.text import check_reason, require_reason
from openlfr.operations import deployments
from openlfr.operations.adjudicate import AlertVersion, decide, undo
from openlfr.operations.entries import Entries, remove, resume, suspend

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BLANK = Judgement(Adjudication.ENGAGE, None, " \t ")
OPERATIONS = {
    "suspend": lambda **by: suspend(Entries("Ann", reason="  "), **by),
    "resume": lambda **by: resume(Entries("Ann", reason="  "), **by),
    "remove": lambda **by: remove(Entries("Ann", reason="\u00a0"), **by),
    "pause": lambda **by: deployments.pause("m", "  ", **by),
    "resume deployment": lambda **by: deployments.resume("m", "  ", **by),
    "stop": lambda **by: deployments.stop("m", "  ", **by),
    "close": lambda **by: deployments.close("m", "  ", **by),
    "undo": lambda **by: undo(AlertVersion("a"), reason="  ", **by),
    "decide": lambda **by: decide(AlertVersion("a"), BLANK, **by, times=DecisionTimes()),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_blank_reason_is_refused_by_every_operation(operation, tmp_path):
    with (
        Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records,
        pytest.raises(BadInput, match="The reason is blank"),
    ):
        OPERATIONS[operation](records=records, by=local_principal("ann", "Ann Smith"), at=NOON)


def test_a_reason_is_normalised_or_refused_with_its_character():
    assert check_reason("") == ""
    assert check_reason("  seen \n twice ") == "seen twice"
    with pytest.raises(BadInput, match=r"contains U\+202E"):
        check_reason("x\u202ey")
    with pytest.raises(BadInput, match="A hold needs a reason"):
        require_reason(" ", "A hold")
