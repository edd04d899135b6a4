"""The threshold of a sighting: configured, calibrated for a target, or the model's default."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.bootstrap.conditions import make_calibration_conditions
from openlfr.bootstrap.default_thresholds import SFACE_DEFAULTS, SFACE_SHA256
from openlfr.bootstrap.stores import open_vault
from openlfr.domain.calibrations import PURPOSE
from openlfr.domain.errors import Misconfigured
from openlfr.domain.thresholds import Threshold, ThresholdOrigin, default_threshold
from openlfr.operations.calibrations import find_calibrated_threshold

if TYPE_CHECKING:
    from openlfr.domain.templates import GalleryFacts
    from openlfr.ports import Records
    from openlfr.settings import Settings


def choose_threshold(
    settings: Settings, facts: GalleryFacts, subjects: int, records: Records | None = None
) -> Threshold:
    """Return the configured threshold, else a calibrated one, else the embedder's default.

    Args:
        settings: The configuration. With `matching.target_fpir` the threshold is that of a
            calibration.
        facts: Facts of the configured embedder.
        subjects: Number of listed subjects at the start. The default depends on this number, and
            does not change until the next start.
        records: The recorded calibrations; None in a process without access to the records.

    Raises:
        Misconfigured: No recorded calibration for the configured target is valid for this list, or
            this process cannot read calibrations.
    """
    is_fitted = facts.model_sha256 == SFACE_SHA256
    matching = settings.matching
    if matching.threshold is not None:
        return Threshold(matching.threshold, ThresholdOrigin.SET, subjects, fitted=is_fitted)
    if matching.target_fpir is not None:
        if records is None:
            raise Misconfigured(_CITY_WIDE)
        return replace(_find_calibrated(settings, facts, records), fitted=is_fitted)
    table = SFACE_DEFAULTS if is_fitted else ()
    return default_threshold(table, facts.default_threshold, subjects)


def require_no_target(settings: Settings) -> None:
    """Raise an error for a target FPIR in a process that cannot read calibrations.

    Raises:
        Misconfigured: `matching.target_fpir` is set.
    """
    if settings.matching.target_fpir is not None:
        raise Misconfigured(_CITY_WIDE)


_CITY_WIDE = (
    "matching.target_fpir works with openlfr run only: the analysis service cannot read "
    "calibrations in this version. Set matching.threshold to the value that openlfr calibrate "
    "printed, and repeat the calibration after each addition to the list."
)


def _find_calibrated(settings: Settings, facts: GalleryFacts, records: Records) -> Threshold:
    target = settings.matching.target_fpir
    assert target is not None  # noqa: S101 - the caller checks it
    return find_calibrated_threshold(
        target,
        make_calibration_conditions(settings, facts),
        records=records,
        watchlists=settings.watchlists,
        key=open_vault(settings).derive(PURPOSE),
        at=datetime.now(UTC),
    )
