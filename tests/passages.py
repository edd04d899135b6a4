"""Control subjects, their walks and their sightings, for tests."""

import uuid
from datetime import UTC, date, datetime, timedelta

from tests.enrolling import add_entry
from tests.sightings import sighting_of

from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.domain.faces import Box
from openlfr.domain.principals import local_principal
from openlfr.domain.templates import GalleryFacts
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference
from openlfr.operations import deployments
from openlfr.operations.passages import Walk, WalkToPlan, log_passage, plan_passage

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
SUE, OLA = local_principal("root", "Sue"), local_principal("root", "Ola")


def entry_of(subject):
    """The id of a subject's entry."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, subject))


def configured(name="Market", **more):
    """A deployment from noon to eight in the evening, by its name as id."""
    hours = Authorisation(name, "Test", "Square", "Act 5", "Chief X", NOON, NOON + 480 * MINUTE)
    values = {"cameras": ("gate", "yard"), "watchlists": ("default",)} | more
    return Deployment(name, hours, DeploymentStatus.AUTHORISED, **values)


def start(records, name="Market", **more):
    return deployments.start(
        configured(name, **more), deployments.Start(), records=records, by=SUE, at=NOON
    )


def enrol(records, *subjects, **more):
    """Control subjects whose entries are searched; the id of an entry is its subject's, by
    default."""
    with records.unit_of_work() as work:
        work.watchlist.bind_model(GalleryFacts("sface", "a" * 64, 128, "arcface-112", 0.4), NOON)
        for subject in subjects:
            values = {
                "reference_id": entry_of(subject), "watchlist": "default",
                "subject": subject, "category": "control", "legal_basis": "consent 12",
                "source": "volunteer", "captured_on": date(2025, 1, 2), "enrolled_by": "Eve",
                "authorised_by": "Otto", "expires": NOON + timedelta(days=9),
                "status": EntryStatus.PENDING, "template_hash": "a1" * 32, "picture": "",
                "quality": 70.0,
            } | more  # fmt: skip
            entry = Reference(**values)
            add_entry(work, entry, picture_hash=subject, at=NOON)
            decision = GalleryDecision(entry.reference_id, EntryStatus.ACTIVE, "")
            work.watchlist.settle([decision], NOON)


def plan(records, subject, *, at=NOON, deployment="Market", cameras=("gate",)):
    return plan_passage(WalkToPlan(subject, deployment, cameras), records=records, by=SUE, at=at)


def log(records, planned, begins, *, ends=None, at=None, by=OLA, cameras=()):
    """Log a walk of ten seconds."""
    ends = ends or begins + 10 * SECOND
    walk = Walk(planned.plan_id, begins, ends, cameras)
    return log_passage(walk, records=records, by=by, at=at or ends + MINUTE)


def see(records, subject, at, *, camera="gate", deployment="Market"):
    """Record a sighting, as a run does, in an alert of its own."""
    seen = sighting_of(
        deployment, camera, 1, int((at - NOON) / SECOND * 10), subject, "default", "r", at,
        Box(10, 20, 48, 60), 0.6, 0.4, 61.0,
    )  # fmt: skip
    alert_id = alert_id_of(seen.sighting_id)
    event = AlertEvent(EventKind.OPENED, event_id_of(seen.sighting_id), alert_id, seen)
    assert records.alerts.record(event, None, emitted_at=at, window=SECOND)
    return alert_id
