"""Counts of a camera for a report, from its tallies and alert events, for a run and for a city."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from openlfr.domain.alerts import EventKind
from openlfr.domain.counts import CameraCounts
from openlfr.domain.scores import SCORE_BINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openlfr.domain.alert_records import RecordedEvent
    from openlfr.domain.tallies import CameraTotals, Histograms, Tally
    from openlfr.ports import Tallies


def counts_from_records(
    tallies: Tallies,
    deployment: str,
    cameras: Sequence[str],
    events: Iterable[RecordedEvent],
    *,
    epoch: int | None = None,
) -> dict[str, CameraCounts]:
    """Add up the recorded counts of cameras.

    Args:
        tallies: Recorded tallies.
        deployment: Id of the deployment.
        cameras: Names of the cameras.
        events: The alert events of the same deployment and epoch.
        epoch: A single epoch, which is one run of one process; None for all epochs.
    """
    raised = Counter((each.event.sighting.camera, each.event.event) for each in events)
    totals = {each.camera: each for each in tallies.totals(deployment, epoch=epoch)}
    counted = {}
    for camera in cameras:
        counts = CameraCounts(camera)
        if camera in totals:
            histograms = tallies.histograms(deployment, camera, epoch=epoch)
            counts = counts_of_totals(camera, totals[camera], histograms)
        counted[camera] = replace(
            counts,
            alerts_opened=raised[camera, EventKind.OPENED],
            alerts_joined=raised[camera, EventKind.JOINED],
        )
    return counted


def counts_of_totals(camera: str, totals: CameraTotals, histograms: Histograms) -> CameraCounts:
    """Convert summed tallies to counts; alerts are missing, since tallies do not contain them."""
    shared = _shared(totals) | {
        "camera": camera,
        "scores": histograms.coarse,
        "fine_scores": histograms.fine_scores,
        "control_scores": histograms.control_scores,
        "measures": histograms.measures,
    }
    return CameraCounts(**shared)


def counts_of(tally: Tally) -> CameraCounts:
    """Convert one tally to counts."""
    bands = (0,) * SCORE_BINS, *tally.scores.values()
    scores = tuple(map(sum, zip(*bands, strict=True)))
    return CameraCounts(**_shared(tally) | {"scores": scores})


def _shared(counts: Tally | CameraTotals) -> dict[str, Any]:
    """Return the values of all fields that counts and tallies share."""
    known = [each.name for each in fields(CameraCounts) if hasattr(counts, each.name)]
    values: dict[str, Any] = {name: getattr(counts, name) for name in known}
    decoded = sum(values[name] for name in known if name.startswith("frames_"))
    return values | {"frames_decoded": decoded}
