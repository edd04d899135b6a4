"""The baseline in a tally: list, threshold, models and rules that the tally's worker uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.baseline_openings import BaselineAdoption, BaselineRef
from openlfr.domain.baselines import Baseline, ThresholdUsed
from openlfr.domain.listing import ListPart, ListState
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.thresholds import ThresholdOrigin
from openlfr.wire.codec.fields import read_moment, unusable
from openlfr.wire.v1 import tally_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

_ID_LENGTH = 64  # SHA-256 in hex; the column in the records is no longer


def baseline_message(adoption: BaselineAdoption) -> tally_pb2.Baseline:
    """Return the message of a baseline; the tally itself contains the baseline's id and start."""
    content = adoption.baseline
    listed, threshold = content.listed, content.threshold
    return tally_pb2.Baseline(
        former=adoption.previous_baseline_id,
        list_root=listed.root,
        references=listed.references,
        subjects=listed.subjects,
        list_parts=[
            tally_pb2.ListPart(
                watchlist=part.watchlist,
                category=part.category,
                references=part.references,
                subjects=part.subjects,
            )
            for part in listed.parts
        ],
        threshold=threshold.value,
        threshold_origin=str(threshold.origin),
        threshold_list_size=threshold.list_size,
        target_fpir=threshold.target_fpir,
        calibration_id=threshold.calibration_id,
        threshold_basis=threshold.basis,
        threshold_doubt=threshold.basis_problem,
        models=[
            tally_pb2.Model(
                role=model.role,
                name=model.name,
                sha256=model.sha256,
                prepared_sha256=model.prepared_sha256,
                licence=model.licence,
            )
            for model in content.models
        ],
        rules=content.rules,
        camera_inputs=content.cameras,
        software=content.software,
    )


def ref_of(message: tally_pb2.Tally) -> BaselineRef:
    """Return the id of a tally's baseline, and the time of the baseline's first use.

    The time is None in a tally from an earlier version.
    """
    if len(message.baseline) > _ID_LENGTH:
        raise unusable(message, "its baseline is not an id")
    if not message.HasField("baseline_since"):
        return BaselineRef(message.baseline)
    if not message.baseline:
        raise unusable(message, "it has a baseline_since without a baseline")
    return BaselineRef(message.baseline, read_moment(message, "baseline_since"))


def adoption_of(message: tally_pb2.Tally) -> BaselineAdoption | None:
    """Return the complete baseline in a tally; None if the tally has only an id, or no baseline.

    Raises:
        BadInput: The id does not match the baseline.
    """
    if not message.HasField("baseline_taken_up"):
        return None
    baseline, since = message.baseline_taken_up, ref_of(message).adopted_at
    if since is None:
        raise unusable(message, "it has a baseline without a baseline_since")
    if baseline.threshold_origin not in set(ThresholdOrigin):
        raise unusable(message, "the origin of its threshold is unknown to this version")
    content = Baseline(
        message.deployment,
        ListState(
            baseline.list_root,
            baseline.references,
            _number(baseline, "subjects"),
            tuple(
                ListPart(part.watchlist, part.category, part.references, _number(part, "subjects"))
                for part in baseline.list_parts
            ),
        ),
        ThresholdUsed(
            baseline.threshold,
            ThresholdOrigin(baseline.threshold_origin),
            baseline.threshold_list_size,
            baseline.target_fpir if baseline.HasField("target_fpir") else None,
            baseline.calibration_id,
            baseline.threshold_basis,
            baseline.threshold_doubt,
        ),
        tuple(
            ModelUsed(each.role, each.name, each.sha256, each.licence, each.prepared_sha256)
            for each in baseline.models
        ),
        baseline.rules,
        baseline.camera_inputs,
        baseline.software,
    )
    if content.baseline_id != message.baseline:
        raise unusable(message, "its baseline id does not match its content")
    return BaselineAdoption(content, since, baseline.former)


def _number(message: Message, name: str) -> int | None:
    return int(getattr(message, name)) if message.HasField(name) else None
