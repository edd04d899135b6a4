"""Sightings for tests: with an id made of what they are, keyed or not."""

import uuid
from dataclasses import replace

from openlfr.domain.alerts import NAMESPACE
from openlfr.domain.sightings import Sighting


def sighting_of(*facts, ids=None, **named):
    """A sighting of these facts, in the order of its fields after the id.

    Args:
        facts, named: Of `Sighting`.
        ids: Makes the id; without it it is made of the same facts, without a key.
    """
    return renamed(Sighting("", *facts, **named), ids)


def renamed(sighting, ids=None, **changes):
    """The sighting with these changes, and the id that belongs to them."""
    changed = replace(sighting, **changes)
    parts = (changed.camera, changed.epoch, changed.seq, changed.subject)
    if ids is not None:
        return replace(changed, sighting_id=ids.sighting_id(*parts))
    text = "\x1f".join(map(str, (changed.deployment, *parts)))
    return replace(changed, sighting_id=str(uuid.uuid5(NAMESPACE, text)))
