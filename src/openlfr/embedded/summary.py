"""Collects all figures of a run for its report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import openlfr
from openlfr import bootstrap
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import StartOrigin
from openlfr.domain.summary import AlertItem, RunSummary, WatchlistSize
from openlfr.operations.evidence import NO_PICTURE, decode, render_scene, to_jpeg
from openlfr.operations.written_files import SEALED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openlfr.adapters.capture import Source
    from openlfr.adapters.sql.records import Records
    from openlfr.domain.alert_records import RecordedEvent
    from openlfr.domain.baseline_figures import FiguresByBaseline
    from openlfr.domain.counts import CameraCounts
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.models_used import ModelUsed
    from openlfr.domain.summary import StageTiming
    from openlfr.domain.watchlist import Reference
    from openlfr.embedded.opening import RunParts
    from openlfr.ports import Vault
    from openlfr.settings import Settings


def summarise(
    settings: Settings,
    deployment: Deployment,
    parts: RunParts,
    *,
    ended_how: str,
    models: tuple[ModelUsed, ...],
    cameras: tuple[CameraCounts, ...],
    figures: FiguresByBaseline,
    timings: tuple[StageTiming, ...],
    problems: Sequence[str],
    erased: Mapping[str, int],
) -> RunSummary:
    """Return a run's figures, with the decrypted pictures of alerts, unless erased or sealed."""
    # These modules load SciPy, so they are not loaded at the start of a run.
    from openlfr.operations.alert_results import count_results
    from openlfr.operations.report.recognition import summarise_passages

    run, records, vault = parts.run, parts.records, parts.vault
    sealed = records.alerts.sealed_alert_ids()
    references = {r.reference_id: r for r in records.watchlist.references()}
    events = records.alerts.events_of_run(run.deployment, run.epoch)
    results = count_results(run.deployment, events, figures, records=records)
    return RunSummary(
        run_id=run.run_id,
        software=f"OpenLFR {openlfr.__version__}",
        config_hash=run.config_hash,
        deployment_id=deployment.deployment_id,
        deployment=deployment.authorisation,
        started_at=run.started_at,
        ended_at=datetime.now(UTC),
        ended_how=ended_how,
        threshold=parts.threshold,
        models=models,
        providers=tuple(bootstrap.list_providers(settings)),
        watchlists=tuple(count_searchable(name, records) for name in settings.watchlists),
        cameras=cameras,
        baselines=figures.baselines,
        pools=figures.pools,
        timings=timings,
        alerts=tuple(
            build_alert_item(event, references, vault, sealed=event.event.alert_id in sealed)
            for event in events
        ),
        problems=tuple(problems),
        erased=dict(erased),
        notes=describe_assumed_times(parts.sources),
        results=results.total,
        false_alerts=results.by_baseline,
        recognition=summarise_passages(run.deployment, records),
    )


def describe_assumed_times(sources: Mapping[str, Source]) -> tuple[str, ...]:
    """Return a sentence for each video file with neither a configured nor a recorded start."""
    return tuple(
        f"camera {name}: recording, time assumed. The file has no recording date, so its times"
        f" count from the start of the run, {source.start:%Y-%m-%d %H:%M:%S} UTC; set"
        f" cameras.{name}.start"
        for name, source in sources.items()
        if source.start_origin is StartOrigin.ASSUMED
    )


def count_searchable(name: str, records: Records) -> WatchlistSize:
    """Count the searchable references and people of a watchlist."""
    manifest = records.watchlist.manifest([name])
    references = records.watchlist.references(watchlists=[name])
    subjects = {r.subject for r in references if r.reference_id in manifest}
    return WatchlistSize(name, len(manifest), len(subjects))


def build_alert_item(
    recorded: RecordedEvent,
    references: Mapping[str, Reference],
    vault: Vault,
    *,
    sealed: bool = False,
) -> AlertItem:
    """Return an event with its pictures, or with the reason why a picture is missing.

    The alert item of an erased, rejected or sealed alert has no pictures.
    """
    if recorded.rejected_at is not None or not recorded.event.sighting.subject:
        is_rejected = recorded.rejected_at is not None
        return AlertItem(recorded.event, b"", b"", b"", is_erased=True, is_rejected=is_rejected)
    probe = scene = face = b""
    missing = ""
    reference = references.get(recorded.event.sighting.reference_id)
    if sealed:
        return AlertItem(
            event=recorded.event,
            probe=b"",
            reference=b"",
            scene=b"",
            category=reference.category if reference else "",
            legal_basis=reference.legal_basis if reference else "",
            missing=SEALED,
        )
    try:
        evidence = decode(vault.get(recorded.evidence or ""))
        probe, scene = to_jpeg(evidence.face), to_jpeg(render_scene(evidence), quality=80)
    except BadInput as error:
        missing = str(error) if recorded.evidence else _explain_missing_evidence(recorded)
    if reference is not None and reference.picture:
        try:
            face = to_jpeg(decode(vault.get(reference.picture)).face)
        except BadInput as error:
            missing = missing or str(error)
    elif not missing:
        missing = "The reference picture was erased."
    return AlertItem(
        event=recorded.event,
        probe=probe,
        reference=face,
        scene=scene,
        category=reference.category if reference else "",
        legal_basis=reference.legal_basis if reference else "",
        missing=missing,
    )


def _explain_missing_evidence(recorded: RecordedEvent) -> str:
    # An erasure also clears the box, so an event that still has a box never had a picture.
    return NO_PICTURE if recorded.event.sighting.box.w else "Its evidence was erased."
