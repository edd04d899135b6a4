"""Baselines are append-only, and a baseline that the database's owner altered has no figures."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.contract.test_baseline_records import opened
from tests.contract.test_tally_records import tally
from tests.unit.domain.test_baselines import NOON, A, B, baseline

from openlfr.adapters.sql import tables
from openlfr.cli.deployment_baselines import format_baselines
from openlfr.domain.baseline_openings import BaselineRef
from openlfr.operations.baseline_figures import figures_by_baseline

_ROW = "INTO baselines SELECT * FROM baselines"
_HASH = "its id is not the hash of its content"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE baselines SET why = '[]'",
        "DELETE FROM baselines",
        f"INSERT {_ROW} WHERE true ON CONFLICT (deployment, number) DO UPDATE SET why = '[]'",
        f"INSERT OR REPLACE {_ROW}",
        f"REPLACE {_ROW}",
        (
            "REPLACE INTO baselines (rowid, deployment, number, baseline_id, opened_at, why,"
            " content, recorded_at) SELECT rowid, 'other', 9, baseline_id, opened_at, why, content,"
            " recorded_at FROM baselines"
        ),
    ],
)
def test_a_baseline_cannot_be_changed_or_deleted(records, change):
    if "REPLACE" in change and records._engine.dialect.name == "postgresql":
        return  # PostgreSQL has no such statement
    known = opened(records, A)
    with (
        pytest.raises(sa.exc.DatabaseError, match="baselines are append-only"),
        records._engine.begin() as connection,
    ):
        connection.execute(sa.text(change))
    assert records.baselines.openings_of("market") == [known]


@pytest.fixture
def owned(records):
    """Record two baselines with a tally each, and drop the triggers as the owner may."""
    refs = [opened(records, A).ref, opened(records, B, 60).ref]
    records.tallies.record(
        [
            tally(first=n * 100, deployment="market", baseline=ref.baseline_id,
                  baseline_since=ref.adopted_at)
            for n, ref in enumerate(refs)
        ],
        at=NOON,
    )  # fmt: skip
    with records._engine.begin() as connection:
        if records._engine.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE baselines DISABLE TRIGGER USER"))
        else:
            for verb in ("UPDATE", "DELETE", "REPLACE"):
                connection.execute(sa.text(f"DROP TRIGGER baselines_refuse_{verb}"))
    return records


def altered(change):
    values = A.to_json()
    change(values)
    return {"content": values}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (altered(lambda values: values["threshold"].update(value=0.9)), _HASH),
        (altered(lambda values: values.update(rules="0" * 64)), _HASH),
        (altered(lambda values: values.update(deployment="station")), _HASH),
        ({"baseline_id": B.baseline_id}, _HASH),
        ({"content": B.to_json()}, _HASH),
        ({"content": {}}, _HASH),
        ({"content": ["nothing"]}, _HASH),
        ({"content": {"list": 5, "threshold": "x"}}, _HASH),
        ({"content": baseline(7).to_json(), "baseline_id": baseline(7).baseline_id},
         "list_root changed after its act"),
        ({"content": baseline(7).to_json() , "baseline_id": baseline(7).baseline_id, "why": []},
         "list_root changed after its act"),
        (altered(lambda values: values["list"].update(references=20_000)),
         "references changed after its act"),
        ({"why": ["nothing of note"]}, "why changed after its act"),
    ],
)  # fmt: skip
def test_an_altered_baseline_is_reported_and_has_no_figures(owned, values, says):
    mine = tables.baselines.c.number == 1
    with owned._engine.begin() as connection:
        connection.execute(sa.update(tables.baselines).where(mine).values(values))
    first, second = owned.baselines.openings_of("market")
    assert says.split()[0] in first.alteration
    assert first.alteration.endswith(says.partition(" ")[2])
    assert second.alteration == ""
    found = figures_by_baseline(owned.baselines, owned.tallies, "market", [])
    frames = {each.number: each.counts.frames_analysed for each in found.baselines}
    assert frames == {0: 100, 1: 0, 2: 100}
    assert [pool.numbers for pool in found.pools] == [(2,)]
    text = "\n".join(format_baselines(found))
    assert f"  1  was altered in the database ({first.alteration})" in text
    # The baseline in force is opened again, not read from the row.
    assert opened(owned, A, 90, alone=True).number == 3


def test_an_invented_baseline_is_reported(owned):
    with owned._engine.begin() as connection:
        row = dict(connection.execute(sa.select(tables.baselines)).first()._mapping)
        made = baseline(9)
        row |= {"number": 3, "baseline_id": made.baseline_id, "content": made.to_json()}
        connection.execute(sa.insert(tables.baselines).values(row))
    assert [each.alteration for each in owned.baselines.openings_of("market")] == [
        "",
        "",
        "no act opened it",
    ]
    assert BaselineRef(made.baseline_id) != owned.baselines.openings_of("market")[0].ref
