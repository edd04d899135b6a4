"""What the alert book keeps of an event, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.alerts import Sighting
from openlfr.domain.faces import Box
from openlfr.domain.impossible import impossible_of

if TYPE_CHECKING:
    from openlfr.domain.impossible import Impossible


def sighting_to_json(sighting: Sighting) -> str:
    """A sighting as JSON; `sighting_from_json` gives an equal one."""
    return event_to_json(sighting, None)


def sighting_from_json(text: str) -> Sighting:
    """The sighting that `sighting_to_json` wrote; fields that a later version added are left."""
    fields = json.loads(text)
    fields["captured_at"] = datetime.fromisoformat(fields["captured_at"])
    fields["box"] = Box(*fields["box"])
    names = Sighting.__dataclass_fields__
    return Sighting(**{name: value for name, value in fields.items() if name in names})


def event_to_json(sighting: Sighting, impossible: Impossible | None) -> str:
    """A sighting as JSON, with what says that it is impossible where something does."""
    fields = asdict(sighting)
    fields["captured_at"] = sighting.captured_at.astimezone(UTC).isoformat()
    fields["box"] = list(sighting.box)
    if impossible is not None:
        fields["impossible"] = asdict(impossible)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def flag_in(text: str) -> Impossible | None:
    """What says that the sighting is impossible, if anything does."""
    return impossible_of(json.loads(text).get("impossible"))
