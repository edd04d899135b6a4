"""Collects the figures of a deployment from the records alone, for one process and for a city.

Records contain no stage timings, execution providers and frame sizes, so these are left out. The
report contains no pictures either: `openlfr alerts show` decrypts them and records the access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import openlfr
from openlfr.domain.audit_deployments import (
    DeploymentClosed,
    DeploymentStarted,
    DeploymentStopped,
)
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput
from openlfr.domain.summary import AlertItem, RunSummary, WatchlistSize
from openlfr.operations.alert_results import count_results
from openlfr.operations.baseline_figures import figures_by_baseline
from openlfr.operations.camera_counts import counts_from_records
from openlfr.operations.report.recognition import summarise_passages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
    from openlfr.domain.audit import RecordedAct
    from openlfr.domain.baseline_figures import BaselineFigures
    from openlfr.domain.baselines import Baseline
    from openlfr.domain.deployment import Deployment
    from openlfr.ports import Records

_ENDING_ACTS = (DeploymentStopped.kind, DeploymentClosed.kind)


def summarise_deployment(deployment: Deployment, records: Records) -> RunSummary:
    """Collect the figures of all runs or workers of a deployment.

    Args:
        deployment: The recorded deployment.
        records: The records, which are only read.

    Raises:
        BadInput: No baseline is recorded, so list and threshold are unknown.
    """
    deployment_id = deployment.deployment_id
    events = records.alerts.events_of_run(deployment_id, None)
    alerts = records.alerts.list(deployment=deployment_id)
    figures = figures_by_baseline(records.baselines, records.tallies, deployment_id, events)
    baselines = _valid_baselines(figures.baselines)
    if not baselines:
        raise BadInput(
            f"No baseline of the deployment {deployment.name!r} ({deployment_id}) is recorded, so "
            "the list and the threshold are unknown, and there is nothing to report. A run or a "
            "worker records a baseline when it starts."
        )
    results = count_results(deployment_id, events, figures, records=records)
    acts = records.audit.all(object_kind="deployment", object_id=deployment_id)
    starts = [act for act in acts if act.kind == DeploymentStarted.kind]
    last = baselines[-1]
    return RunSummary(
        run_id="",
        software=", ".join(dict.fromkeys(each.software for each in baselines)),
        config_hash=next((h for act in reversed(starts) if (h := _config_hash(act))), ""),
        deployment_id=deployment_id,
        deployment=deployment.authorisation,
        started_at=starts[0].at if starts else deployment.authorisation.starts,
        ended_at=_find_end(deployment, acts),
        ended_how=str(deployment.status),
        threshold=last.threshold.to_threshold(),
        models=tuple(dict.fromkeys(model for each in baselines for model in each.models)),
        providers=(),
        watchlists=_sizes(last),
        cameras=tuple(
            counts_from_records(
                records.tallies,
                deployment_id,
                _name_cameras(deployment, records, events),
                events,
            ).values()
        ),
        timings=(),
        alerts=_build_items(events, alerts, records),
        notes=_describe(deployment, baselines),
        baselines=figures.baselines,
        pools=figures.pools,
        results=results.total,
        false_alerts=results.by_baseline,
        recognition=summarise_passages(deployment_id, records),
    )


def _valid_baselines(figures: Sequence[BaselineFigures]) -> list[Baseline]:
    openings = (each.opening for each in figures if each.opening is not None)
    return [opening.baseline for opening in openings if not opening.alteration]


def _config_hash(act: RecordedAct) -> str:
    return str(act.detail.get("config_hash", ""))


def _find_end(deployment: Deployment, acts: Sequence[RecordedAct]) -> datetime | None:
    """Return the time of the stop or closing; None if the deployment continues."""
    if deployment.status not in (DeploymentStatus.STOPPED, DeploymentStatus.CLOSED):
        return None
    ends = [act.at for act in acts if act.kind in _ENDING_ACTS]
    starts = [act.at for act in acts if act.kind == DeploymentStarted.kind]
    after = [at for at in ends if not starts or at >= starts[-1]]  # a stop, then a closing
    return min(after, default=ends[-1] if ends else None)


def _sizes(baseline: Baseline) -> tuple[WatchlistSize, ...]:
    """Add up the list's categories; a person in two categories of a list counts twice."""
    references: dict[str, int] = {}
    subjects: dict[str, int] = {}
    for part in baseline.listed.parts:
        name = part.watchlist
        references[name] = references.get(name, 0) + part.references
        people = part.references if part.subjects is None else part.subjects
        subjects[name] = subjects.get(name, 0) + people
    if len(references) == 1:  # the total counts each person once
        subjects = dict.fromkeys(references, baseline.listed.people)
    return tuple(WatchlistSize(name, references[name], subjects[name]) for name in references)


def _name_cameras(
    deployment: Deployment, records: Records, events: Sequence[RecordedEvent]
) -> list[str]:
    """Return the authorised cameras, then all other cameras with tallies or alerts."""
    counted = [each.camera for each in records.tallies.totals(deployment.deployment_id)]
    raised = [each.event.sighting.camera for each in events if each.event.sighting.camera]
    return list(dict.fromkeys([*deployment.cameras, *counted, *raised]))


def _build_items(
    events: Sequence[RecordedEvent], alerts: Sequence[RecordedAlert], records: Records
) -> tuple[AlertItem, ...]:
    """Return the events without pictures; erased and rejected events contain no subject."""
    erased_ids = {each.alert_id for each in alerts if each.erased_at is not None}
    wanted_ids = {each.event.sighting.reference_id for each in events}
    found = records.watchlist.references(reference_ids=sorted(wanted_ids - {""}))
    references = {each.reference_id: each for each in found}
    items = []
    for each in events:
        is_erased = each.rejected_at is not None or each.event.alert_id in erased_ids
        reference = None if is_erased else references.get(each.event.sighting.reference_id)
        items.append(
            AlertItem(
                event=each.event,
                probe=b"",
                reference=b"",
                scene=b"",
                category=reference.category if reference else "",
                legal_basis=reference.legal_basis if reference else "",
                is_erased=is_erased,
                is_rejected=each.rejected_at is not None,
            )
        )
    return tuple(items)


def _describe(deployment: Deployment, baselines: Sequence[Baseline]) -> tuple[str, ...]:
    """Return the sentences that a reader needs before the figures."""
    source = (
        "This report covers the whole deployment. It was made from the records alone by OpenLFR "
        f"{openlfr.__version__}, so it contains no stage timings and no pictures."
    )
    notes = [source]
    if deployment.status not in (DeploymentStatus.STOPPED, DeploymentStatus.CLOSED):
        notes.append(
            f"The deployment has not ended (it is {deployment.status}), so its figures can still "
            "change. The latest seconds are not counted yet."
        )
    if deployment.alteration:
        notes.append(f"The deployment was altered in the database: {deployment.alteration}.")
    thresholds = dict.fromkeys(f"{each.threshold.value:.3f}" for each in baselines)
    if len(thresholds) > 1:
        notes.append(
            f"The threshold changed during the deployment ({', '.join(thresholds)}). The figures "
            "of all faces together mix several thresholds; see Baseline by baseline."
        )
    return tuple(notes)
