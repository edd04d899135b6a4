"""This version reads a previous version's records: entries, alerts, verdicts, counts, acts.

States of previous schemas are in `tests/contract/states`, as their own code wrote them.
"""

import pytest
from tests.contract.states import FOLDER, load, read
from tests.contract.states.facts import facts

from openlfr.adapters.sql import engine, schema
from openlfr.adapters.sql.records import Records, upgrade
from openlfr.domain.adjudication import DecisionTimes, Judgement
from openlfr.domain.alerts import Adjudication
from openlfr.domain.principals import Principal, Role
from openlfr.operations.adjudicate import AlertVersion, apply_deadlines, decide

OP = Principal("https://people.example", "op2", "Op the Second", frozenset(Role))


def test_every_migration_has_the_state_before_it_and_the_state_after_it():
    for revision in schema.REVISIONS[-2:]:
        assert (FOLDER / f"{revision}.json").is_file(), (
            f"No database of schema {revision} is upgraded by a test. With the code of that schema "
            "run `PYTHONPATH=.:tests .venv/bin/python -m tests.contract.states`, and keep the file."
        )
    assert {path.stem for path in FOLDER.glob("*.json")} <= set(schema.REVISIONS)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_database_of_a_previous_version_opens_and_works(records_url, monkeypatch, path):
    state = read(path)
    with monkeypatch.context() as patch:
        known = schema.REVISIONS[: schema.REVISIONS.index(path.stem) + 1]
        patch.setattr(schema, "REVISIONS", known)
        upgrade(records_url)
    then = engine.open_engine(records_url)
    load(then, state["tables"])
    then.dispose()
    assert upgrade(records_url)[:2] == (path.stem, schema.REVISIONS[-1])
    with Records.open(records_url, upgrade=False) as records:
        found, expected = facts(records), state["expected"]
        acts = found.pop("acts")[: len(expected["acts"])]  # an upgrade may add acts
        assert acts == expected.pop("acts")
        assert found == expected
        # New records can be added.
        alerts = records.alerts.list(undecided=True)
        assert alerts
        at = max(alert.last_at for alert in alerts)
        before = len(records.audit.all())
        what = Judgement(Adjudication.ENGAGE, note="seen again")
        for alert in alerts:
            decide(
                AlertVersion(alert.alert_id),
                what,
                records=records,
                by=OP,
                at=at,
                times=DecisionTimes(),
            )
        apply_deadlines(records, at + DecisionTimes().settle)
        positions = [act.position for act in records.audit.all()]
        assert positions == list(range(1, len(positions) + 1))
        assert len(positions) > before + len(alerts)
        assert records.alerts.list(undecided=True) == []
