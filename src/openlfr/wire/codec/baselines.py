"""What a tally says of the baseline that its worker has taken up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.baseline_openings import BaselineAdoption, BaselineRef
from openlfr.domain.baselines import Baseline, ThresholdUsed
from openlfr.domain.listing import ListPart, ListState
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.thresholds import ThresholdOrigin
from openlfr.wire.codec.fields import broken, moment
from openlfr.wire.v1 import tally_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

_ID = 64  # of a SHA-256, hex: what the records can hold


def baseline_message(adoption: BaselineAdoption) -> tally_pb2.Baseline:
    """A baseline as it travels; id and moment are the tally's."""
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
        threshold_doubt=threshold.doubt,
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
    """The baseline that a tally names; an earlier version said not since when."""
    if len(message.baseline) > _ID:
        raise broken(message, "its baseline is no id")
    if not message.HasField("baseline_since"):
        return BaselineRef(message.baseline)
    if not message.baseline:
        raise broken(message, "it says since when, but not which baseline")
    return BaselineRef(message.baseline, moment(message, "baseline_since"))


def adoption_of(message: tally_pb2.Tally) -> BaselineAdoption | None:
    """What a tally says that its baseline is; None where it says nothing.

    Raises:
        BadInput: Its id is not made of that.
    """
    if not message.HasField("baseline_taken_up"):
        return None
    said, since = message.baseline_taken_up, ref_of(message).adopted_at
    if since is None:
        raise broken(message, "it says what its baseline is, but not since when")
    if said.threshold_origin not in set(ThresholdOrigin):
        raise broken(message, "this version does not know the origin of its threshold")
    content = Baseline(
        message.deployment,
        ListState(
            said.list_root,
            said.references,
            _number(said, "subjects"),
            tuple(
                ListPart(part.watchlist, part.category, part.references, _number(part, "subjects"))
                for part in said.list_parts
            ),
        ),
        ThresholdUsed(
            said.threshold,
            ThresholdOrigin(said.threshold_origin),
            said.threshold_list_size,
            said.target_fpir if said.HasField("target_fpir") else None,
            said.calibration_id,
            said.threshold_basis,
            said.threshold_doubt,
        ),
        tuple(
            ModelUsed(each.role, each.name, each.sha256, each.licence, each.prepared_sha256)
            for each in said.models
        ),
        said.rules,
        said.camera_inputs,
        said.software,
    )
    if content.baseline_id != message.baseline:
        raise broken(message, "its baseline is not what it says")
    return BaselineAdoption(content, since, said.former)


def _number(message: Message, name: str) -> int | None:
    return int(getattr(message, name)) if message.HasField(name) else None
