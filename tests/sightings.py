"""Sightings for tests; their ids are hashes of their fields, with or without a key."""

import uuid
from dataclasses import replace

from openlfr.domain.alerts import NAMESPACE
from openlfr.domain.sightings import Sighting


def sighting_of(*facts, ids=None, **named):
    """Return a sighting of these field values, in the order of its fields after the id.

    Args:
        facts, named: Field values of `Sighting`.
        ids: Makes the id; without `ids` the id is an unkeyed hash of the same values.
    """
    return renamed(Sighting("", *facts, **named), ids)


def renamed(sighting, ids=None, **changes):
    """Return the sighting with these changes and a matching id."""
    changed = replace(sighting, **changes)
    parts = (changed.camera, changed.epoch, changed.seq, changed.subject)
    if ids is not None:
        return replace(changed, sighting_id=ids.sighting_id(*parts))
    text = "\x1f".join(map(str, (changed.deployment, *parts)))
    return replace(changed, sighting_id=str(uuid.uuid5(NAMESPACE, text)))
