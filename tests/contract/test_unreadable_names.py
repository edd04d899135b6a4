"""The two-person rule where the first person's name was erased or altered."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.contract.test_alert_records import NOON, TIMES, events_of, sighting

from openlfr.adapters.sql.records import Records
from openlfr.domain.adjudication import Judgement
from openlfr.domain.alerts import Adjudication
from openlfr.domain.errors import NotAllowed
from openlfr.domain.principals import Principal, local_principal
from openlfr.operations.adjudicate import AlertVersion, decide, look_again, settle, undo

ANN, BOB = local_principal("desk", "Ann Smith"), local_principal("desk", "Bob Jones")
BOB_ELSEWHERE = local_principal("desk2", "Bob Jones")
LATER = NOON + timedelta(minutes=1)
ENGAGE = Judgement(Adjudication.ENGAGE)


def decide_as_ann(records: Records) -> AlertVersion:
    (event,) = events_of(sighting())
    records.alerts.record(event, None, emitted_at=NOON)
    target = AlertVersion(event.alert_id)
    decide(target, ENGAGE, records=records, by=ANN, at=NOON, times=TIMES)
    return target


def require_another_account(records: Records, target: AlertVersion) -> None:
    def act(rule: object, by: Principal) -> None:
        assert callable(rule)
        rule(target, ENGAGE, records=records, by=by, at=LATER, times=TIMES)

    for rule in (look_again, settle):
        with pytest.raises(
            NotAllowed, match=r"name that was erased or altered.*another account must"
        ):
            act(rule, BOB)
    with pytest.raises(NotAllowed):  # an unreadable name is nobody's own verdict either
        undo(target, records=records, by=BOB, at=NOON + timedelta(seconds=1))
    act(look_again, BOB_ELSEWHERE)


def test_the_account_of_an_erased_name_takes_no_second_look(every_records: Records) -> None:
    target = decide_as_ann(every_records)
    with every_records.unit_of_work() as work:
        work.alerts.erase_names(LATER, now=LATER)
    require_another_account(every_records, target)


@pytest.mark.parametrize(
    "attack", ["DELETE FROM act_words", "UPDATE act_words SET name = 'Eve Other'"]
)
def test_the_account_of_an_altered_name_takes_no_second_look(
    records: Records, records_url: str, attack: str
) -> None:
    target = decide_as_ann(records)
    engine = sa.create_engine(records_url)
    with engine.begin() as connection:
        connection.execute(sa.text(attack))
    engine.dispose()
    require_another_account(records, target)
