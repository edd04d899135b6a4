"""A deployment in the records, as one process or a city leaves it, to make its report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.contract.test_tally_records import bins, tally
from tests.sightings import sighting_of

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.adjudication import DecisionTimes, Judgement
from openlfr.domain.baseline_openings import BaselineAdoption
from openlfr.domain.baselines import Conditions
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.domain.faces import Box
from openlfr.domain.listing import ListState, SearchedEntry
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.principals import local_principal
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.domain.watching import UnwatchedReason
from openlfr.operations import deployments
from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, decide, record_outcome
from openlfr.operations.baselines import open_baseline
from openlfr.operations.purge import erase_due
from openlfr.operations.report.from_records import summarise_deployment

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIMES = DecisionTimes()
ANN = local_principal("root", "Ann Smith")
MARKET = Deployment(
    "market",
    Authorisation(
        "Market", "Find two people", "Square", "Act 5", "Chief Jones",
        NOON, NOON + timedelta(hours=8),
    ),
    DeploymentStatus.AUTHORISED,
    ("gate", "yard"),
    ("default",),
)  # fmt: skip
CONDITIONS = Conditions(
    "market",
    Threshold(0.45, ThresholdOrigin.SET, 2),
    (ModelUsed("detector", "yunet", "d" * 64), ModelUsed("embedder", "sface", "f" * 64)),
    "1" * 64,
    "2" * 64,
    "OpenLFR 1",
)


class List:
    """A searched list: category by person."""

    def __init__(self, **people):
        self.people = people

    def searched(self):
        return [
            SearchedEntry(f"{number:064x}", "default", category, name)
            for number, (name, category) in enumerate(self.people.items())
        ]


class Reported:
    """Records of one deployment that was started at noon."""

    def __init__(self, records, conditions=CONDITIONS, **people):
        self.records = records
        self.vault, self.book = MemoryVault(), MemoryAlertBook()
        begun = deployments.Start(conditions.threshold, "c" * 64)
        self.deployment = deployments.start(MARKET, begun, records=records, by=ANN, at=NOON)
        self.open_baseline(0, conditions, **people)

    def open_baseline(self, minute, conditions=CONDITIONS, **people):
        listed = ListState.from_index(List(**(people or {"ann": "wanted", "bob": "at_risk"})))
        self.opening = open_baseline(
            BaselineAdoption(conditions.with_list(listed), NOON + timedelta(minutes=minute)),
            records=self.records, at=NOON, alone=True,
        )  # fmt: skip

    def count(self, camera, first=0, searched=4, **changes):
        """A tally under the latest baseline: one more track was seen than searched."""
        ref = self.opening.ref
        values = {
            "deployment": "market", "baseline": ref.baseline_id, "baseline_since": ref.adopted_at,
            "first_captured_at": NOON + timedelta(seconds=first / 10),
            "last_captured_at": NOON + timedelta(seconds=(first + 99) / 10),
            "tracks_begun": searched + 1, "tracks_closed": searched + 1,
            "scores": {1: bins(b10=searched)}, "sightings": 0, "watched_us": 3_600_000_000,
            "unwatched_us": {UnwatchedReason.NO_FRAMES: 60_000_000},
        }  # fmt: skip
        self.records.tallies.record([tally(camera, first, **values | changes)], at=NOON)

    def see(self, *seconds, subject="ann", camera="gate", reference="reference-7"):
        """Record sightings, and return the alert that they make."""
        for second in seconds:
            seen = sighting_of(
                "market", camera, 1, second, subject, "default", reference,
                NOON + timedelta(seconds=second), Box(10, 20, 30, 40), 0.6, 0.45, 60.0,
            )  # fmt: skip
            event = self.book.fold(seen, window=timedelta(minutes=3))
            self.records.alerts.record(event, None, emitted_at=seen.captured_at)
        return event.alert_id

    def decide(self, alert, adjudication, outcome=None, minutes=None):
        context = {"records": self.records, "by": ANN, "at": NOON, "times": TIMES}
        decide(AlertVersion(alert), Judgement(adjudication), **context)
        if outcome is not None:
            record_outcome(AlertVersion(alert), OutcomeReport(outcome, minutes), **context)

    def erase(self, days=40):
        erase_due(
            records=self.records, vault=self.vault, book=self.book,
            retention=timedelta(days=31), now=NOON + timedelta(days=days),
        )  # fmt: skip

    def stop(self, minute=60):
        at = NOON + timedelta(minutes=minute)
        self.deployment = deployments.stop("market", "over", records=self.records, by=ANN, at=at)

    def summary(self):
        return summarise_deployment(self.records.deployments.find("market"), self.records)
