"""Ids of sightings: for a replay the same, for anybody without the key not to be computed."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from openlfr.adapters.memory.vault import MemoryVault
from openlfr.bootstrap import make_ids
from openlfr.domain.alerts import NAMESPACE
from openlfr.domain.ids import Ids

SEEN = ("gate", 1, 7, "Ann")


def test_the_same_sighting_has_the_same_id_under_one_key_alone():
    vault = MemoryVault()
    one = make_ids("market", vault).sighting_id(*SEEN)
    assert one == make_ids("market", vault).sighting_id(*SEEN)
    assert one != make_ids("market", MemoryVault()).sighting_id(*SEEN)
    assert one != make_ids("fair", vault).sighting_id(*SEEN)
    # Nor with the key of another deployment, where the deployment's id is known.
    assert one != Ids("market", make_ids("fair", vault).key).sighting_id(*SEEN)
    assert one != str(uuid.uuid5(NAMESPACE, "\x1f".join(map(str, ("market", *SEEN)))))


@given(st.text(), st.integers(0), st.integers(0), st.text())
def test_every_id_is_a_uuid_of_version_8(camera, epoch, seq, subject):
    found = uuid.UUID(Ids("market", bytes(32)).sighting_id(camera, epoch, seq, subject))
    assert (found.variant, found.version) == (uuid.RFC_4122, 8)


def test_the_key_is_in_no_log():
    assert "key" not in repr(Ids("market", b"secret" * 6))
