"""Passages: planned walks of control subjects past cameras, and how they were recognised.

A plan is committed before the walk, and the walk is logged by a person who sees no alerts. So
nobody can choose the walks that count after seeing which of them were recognised. A plan names its
subject by the id of a watchlist entry; the name itself is only in the watchlist, and is erased
there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.domain.alerts import Outcome
from openlfr.domain.audit_passages import PassageLogged, PassagePlanned
from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
    from openlfr.domain.audit import RecordedAct

TOLERANCE = timedelta(seconds=5)
"""Accepted difference between the clocks of the camera and of the person who logs the walk."""

MAX_DURATION = timedelta(minutes=30)
"""Longest passage; in a longer time another walk, or a false match, could count as this one."""

MAX_LISTED = 5
"""Number of plans that an error message lists if several plans have the prefix."""


@dataclass(frozen=True, slots=True)
class PassagePlan:
    """A planned walk.

    Attributes:
        plan_id: UUID text.
        deployment_id: The deployment whose cameras the subject will pass.
        subject_id: Id of a watchlist entry of the subject; the same in all plans of a subject in a
            deployment.
        cameras: Names of the cameras that the subject will pass.
        salt: Random text (hex), so that nobody can guess the plan from its commitment.
        planned_at: UTC.
        commitment: Result of `commit`, as recorded.
    """

    plan_id: str
    deployment_id: str
    subject_id: str
    cameras: tuple[str, ...]
    salt: str
    planned_at: datetime
    commitment: str


@dataclass(frozen=True, slots=True)
class PassageLog:
    """A walk that took place.

    Attributes:
        begins, ends: First and last time at which the subject was before a camera, UTC.
        cameras: Names of the planned cameras that the subject passed.
        logged_at: UTC.
    """

    begins: datetime
    ends: datetime
    cameras: tuple[str, ...]
    logged_at: datetime


@dataclass(frozen=True, slots=True)
class Passage:
    """A plan, with its log if the walk took place.

    Attributes:
        log: None if no walk was logged.
        findings: Cameras with a sighting of the subject during the walk, as retained before the
            sighting's alert, or the subject's name, was erased.
    """

    plan: PassagePlan
    log: PassageLog | None = None
    findings: frozenset[str] = frozenset()


def commit(
    subject_id: str, deployment_id: str, cameras: Collection[str], salt: str, planned_at: datetime
) -> str:
    """Return the sha256 (hex) to which a plan is committed.

    The input contains the length in bytes before each text, so that no two plans have the same
    input.
    """
    digest = hashlib.sha256()
    for text in (subject_id, deployment_id, salt, planned_at.isoformat(), *cameras):
        content = text.encode()
        digest.update(len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()


def require_one_plan(prefix: str, plan_ids: Sequence[str]) -> None:
    """Reject an id prefix that does not identify exactly one plan.

    Args:
        prefix: The prefix as typed.
        plan_ids: Ids with this prefix; `MAX_LISTED` + 1 are enough.

    Raises:
        BadInput: No plan or several plans have the prefix.
    """
    if not prefix.strip() or not plan_ids:
        raise BadInput(
            f"There is no planned passage {prefix!r}: `openlfr passage plan` prints the id of each."
        )
    if len(plan_ids) > 1:
        some = ", ".join(plan_ids[:MAX_LISTED])
        more = " ..." if len(plan_ids) > MAX_LISTED else ""
        raise BadInput(f"Several planned passages begin with {prefix!r}: {some}{more}")


def find_alteration(passage: Passage, acts: Iterable[RecordedAct]) -> str:
    """Return how a passage's rows differ from its commitment and acts; empty if they agree.

    Args:
        passage: The passage as read from its rows.
        acts: The recorded acts on this passage.
    """
    plan, log = passage.plan, passage.log
    details = {act.kind: act.detail for act in acts}
    expected = commit(plan.subject_id, plan.deployment_id, plan.cameras, plan.salt, plan.planned_at)
    if expected != plan.commitment:
        return "its commitment is not the hash of its plan"
    planned = details.get(PassagePlanned.kind)
    if planned is None:
        return "no act planned it"
    if planned.get("commitment") != plan.commitment:
        return "its commitment differs from its act"
    logged = details.get(PassageLogged.kind)
    if log is None:
        return "its log was deleted" if logged is not None else ""
    if logged is None:
        return "no act logged it"
    if log_detail(log) != {name: logged.get(name) for name in log_detail(log)}:
        return "its log differs from its act"
    return ""


def log_detail(log: PassageLog) -> Mapping[str, object]:
    """Return the fields of a log as its act contains them."""
    return {
        "begins": log.begins.isoformat(),
        "ends": log.ends.isoformat(),
        "cameras": list(log.cameras),
    }


def overlaps(one: PassageLog, begins: datetime, ends: datetime) -> bool:
    """Return whether a sighting could count for a logged passage and for a walk of these times."""
    return begins - TOLERANCE <= one.ends + TOLERANCE and one.begins - TOLERANCE <= ends + TOLERANCE


@dataclass(frozen=True, slots=True)
class Sightings:
    """The recorded sightings of a deployment.

    Attributes:
        events: All alert events of the deployment.
        alerts: All alerts of the deployment, by id.
    """

    events: tuple[RecordedEvent, ...]
    alerts: Mapping[str, RecordedAlert]

    def cameras_with(self, subject: str, log: PassageLog) -> frozenset[str]:
        """Return the passed cameras at which the subject was sighted during a walk.

        Rejected sightings and refuted alerts are left out, since they show somebody else. Alerts
        decided as *do not engage* are not left out, since the decision is no proof. The result is
        empty for an empty subject.
        """
        during = (each for each in self._during(log) if each.event.sighting.subject == subject)
        return frozenset(each.event.sighting.camera for each in during) if subject else frozenset()

    def cameras_erased_before(self, log: PassageLog) -> frozenset[str]:
        """Return the passed cameras with a sighting that was erased before the walk was logged.

        The sighting's time is that of the walk. The sighting's subject is unknown, and may be the
        control subject.
        """
        return frozenset(
            each.event.sighting.camera
            for each in self._during(log)
            if not each.event.sighting.subject
            and (alert := self.alerts.get(each.event.alert_id)) is not None
            and alert.erased_at is not None
            and alert.erased_at <= log.logged_at
        )

    @property
    def _refuted(self) -> frozenset[str]:
        alerts = self.alerts.items()
        return frozenset(key for key, each in alerts if each.outcome is Outcome.REFUTED)

    def _during(self, log: PassageLog) -> Iterator[RecordedEvent]:
        refuted = self._refuted
        for each in self.events:
            sighting = each.event.sighting
            if (
                sighting.camera in log.cameras
                and log.begins - TOLERANCE <= sighting.captured_at <= log.ends + TOLERANCE
                and each.rejected_at is None
                and each.event.alert_id not in refuted
            ):
                yield each
