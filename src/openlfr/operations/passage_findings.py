"""Retains where control subjects were recognised, before an alert or a subject's name is erased.

Afterwards no row connects a subject with the camera and time of a sighting. What remains of a
passage is the log of the walk, and the cameras at which the subject was recognised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.passages import Sightings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from openlfr.domain.passages import Passage
    from openlfr.ports import AlertRecords, UnitOfWork, WatchlistRecords


def read_sightings(deployment_id: str, alerts: AlertRecords) -> Sightings:
    """Read the sightings of a deployment."""
    return Sightings(
        tuple(alerts.events_of_run(deployment_id, None)),
        {each.alert_id: each for each in alerts.list(deployment=deployment_id)},
    )


def names_of_subjects(
    passages: Sequence[Passage], watchlist: WatchlistRecords
) -> Mapping[str, str]:
    """Return the name of each `PassagePlan.subject_id`; an erased name is empty."""
    ids = {each.plan.subject_id for each in passages}
    entries = watchlist.references(reference_ids=ids) if ids else []
    return dict.fromkeys(ids, "") | {each.reference_id: each.subject for each in entries}


def retain_findings_of_alert(alert_id: str, *, work: UnitOfWork, at: datetime) -> None:
    """Record the logged passages and cameras for which an alert counts, before its erasure.

    Args:
        alert_id: The alert that is about to be erased.
        work: The transaction of the erasure.
        at: Time of the erasure, UTC.
    """
    alert = work.alerts.find(alert_id)
    passages = work.passages.of_deployment(alert.deployment)
    if not alert.subject or not passages:
        return
    sightings = Sightings(tuple(work.alerts.events(alert_id)), {alert_id: alert})
    names = names_of_subjects(passages, work.watchlist)
    subjects = {key for key, name in names.items() if name == alert.subject}
    _retain(passages, sightings, {key: names[key] for key in subjects}, work, at)


def retain_findings_of_subjects(
    reference_ids: Collection[str], *, work: UnitOfWork, at: datetime
) -> None:
    """Record the cameras that recognised the subjects of entries, before the names are erased.

    Args:
        reference_ids: Entries whose names are about to be erased.
        work: The transaction of the erasure.
        at: Time of the erasure, UTC.
    """
    passages = work.passages.of_subjects(reference_ids) if reference_ids else []
    for deployment_id in {each.plan.deployment_id for each in passages}:
        chosen = [each for each in passages if each.plan.deployment_id == deployment_id]
        names = names_of_subjects(chosen, work.watchlist)
        _retain(chosen, read_sightings(deployment_id, work.alerts), names, work, at)


def _retain(
    passages: Collection[Passage],
    sightings: Sightings,
    names: Mapping[str, str],
    work: UnitOfWork,
    at: datetime,
) -> None:
    for each in passages:
        if each.log is None:
            continue
        cameras = sightings.cameras_with(names.get(each.plan.subject_id, ""), each.log)
        if new := cameras - each.findings:
            work.passages.add_findings(each.plan.plan_id, new, at)
