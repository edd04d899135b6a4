"""Stored events of the alert book as JSON."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openlfr.domain.alerts import NAMESPACE
from openlfr.domain.faces import Box
from openlfr.domain.impossible import parse_impossible
from openlfr.domain.sightings import Sighting

if TYPE_CHECKING:
    from openlfr.domain.impossible import ImpossibleMatch


def sighting_to_json(sighting: Sighting) -> str:
    """Encode a sighting as JSON; `sighting_from_json` returns an equal sighting."""
    return event_to_json(sighting, None)


def sighting_from_json(text: str) -> Sighting:
    """Parse the result of `sighting_to_json`; fields of a later version are ignored."""
    fields = json.loads(text)
    fields["conflicts_in_frame"] = fields.pop("twice", False)
    fields["captured_at"] = datetime.fromisoformat(fields["captured_at"])
    fields["box"] = Box(*fields["box"])
    names = Sighting.__dataclass_fields__
    if "sighting_id" not in fields:  # written before ids were computed with a key
        fields["sighting_id"] = _id_without_key(fields)
    return Sighting(**{name: value for name, value in fields.items() if name in names})


def _id_without_key(fields: dict[str, Any]) -> str:
    """Compute an old sighting's id, which depended on public fields only."""
    parts = (fields[name] for name in ("deployment", "camera", "epoch", "seq", "subject"))
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(map(str, parts))))


def event_to_json(sighting: Sighting, impossible: ImpossibleMatch | None) -> str:
    """Encode a sighting as JSON, with its flag if the match is impossible."""
    fields = asdict(sighting)
    fields["twice"] = fields.pop("conflicts_in_frame")  # the stored key since 0.1.0
    fields["captured_at"] = sighting.captured_at.astimezone(UTC).isoformat()
    fields["box"] = list(sighting.box)
    if impossible is not None:
        fields["impossible"] = asdict(impossible)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def parse_flag(text: str) -> ImpossibleMatch | None:
    """Parse the flag of an impossible match; None if the event has no flag."""
    return parse_impossible(json.loads(text).get("impossible"))
