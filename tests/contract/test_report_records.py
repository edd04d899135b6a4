"""The report from the records of every adapter: the same bytes, and found by an erasure."""

from tests.reported import ANN, NOON, Reported

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.operations.report.table import render_table
from openlfr.operations.report_deployment import report_deployment


def report(records, folder):
    """A report of two baselines with a decided and an undecided alert, its table, and a report
    after the erasure of both alerts."""
    market = Reported(records)
    market.count("gate", searched=40)
    market.decide(market.see(0, 5), Adjudication.ENGAGE, Outcome.CONFIRMED, 4)
    market.open_baseline(1, ann="wanted")
    market.count("yard", first=100)
    market.see(300, subject="bob", camera="yard")
    market.stop()
    summary = report_deployment("market", folder, records=records, by=ANN, at=NOON)
    before = (folder / "report.json").read_bytes()
    market.erase()
    return before, render_table(summary), (folder / "report.json").read_bytes()


def test_the_report_is_the_same_from_every_adapter(every_records, tmp_path):
    before, table, after = report(every_records, tmp_path / "one")
    assert (before, table, after) == report(MemoryRecords(), tmp_path / "memory")
    assert b'"ann"' in before
    assert b'"ann"' not in after
