"""The alerts of a run's report: what was rejected or erased during the run is in none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.reported import NOON
from tests.unit.operations.test_report import SUMMARY, item

from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.alert_records import RecordedEvent
from openlfr.embedded.summary import build_alert_item
from openlfr.operations.report.canonical import figures_of

EVENT = item("Zacharias").event


@pytest.mark.parametrize(
    ("subject", "rejected_at", "is_erased"),
    [("Zacharias", None, False), ("Zacharias", NOON, True), ("", None, True)],
)
def test_a_rejected_or_erased_sighting_has_no_subject(subject, rejected_at, is_erased):
    event = replace(EVENT, sighting=replace(EVENT.sighting, subject=subject))
    recorded = RecordedEvent(event, NOON, "evidence/x", rejected_at)
    built = build_alert_item(recorded, {}, MemoryVault())
    assert built.is_erased is is_erased
    [entry] = figures_of(replace(SUMMARY, alerts=(built,)))["alerts"]
    assert entry["sighting"]["subject"] == ("" if is_erased else "Zacharias")
    assert entry.get("erased", False) is is_erased
