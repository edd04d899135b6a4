"""Converts the result of a deployment's passages for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.recognition import Recognition, RecognitionRate
from openlfr.operations.passage_results import passage_result

if TYPE_CHECKING:
    from openlfr.operations.passage_results import PassageGroup
    from openlfr.ports import Records


def summarise_passages(deployment_id: str, records: Records) -> Recognition | None:
    """Return the result of the passages; None if no passage was planned."""
    result = passage_result(deployment_id, records=records)
    if not result.planned:
        return None
    return Recognition(
        result.planned,
        len(result.not_logged),
        len(result.altered),
        result.upper_bound,
        tuple(_rate_of(group) for group in result.groups),
    )


def _rate_of(group: PassageGroup) -> RecognitionRate:
    whole = group.whole
    return RecognitionRate(
        group.baselines,
        whole.found,
        whole.missed,
        whole.unknown,
        whole.subjects,
        *(whole.rate or (None, None)),
        *(whole.interval or (None, None)),
    )
