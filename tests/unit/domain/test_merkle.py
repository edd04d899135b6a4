"""The tree hash is RFC 6962's: the vectors are those of Certificate Transparency's own tests."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openlfr.domain.merkle import root_of, tree_hash

ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                 "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("number", range(len(ROOTS)))
def test_roots_match_those_of_certificate_transparency(number):
    assert tree_hash(ENTRIES[:number]).hex() == ROOTS[number]


def recursive(entries):
    """As RFC 6962 defines it."""
    if len(entries) < 2:
        return hashlib.sha256(b"".join(b"\0" + each for each in entries)).digest()
    split = 1 << (len(entries) - 1).bit_length() - 1
    left, right = recursive(entries[:split]), recursive(entries[split:])
    return hashlib.sha256(b"\1" + left + right).digest()


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_of_any_number_it_is_as_the_rfc_defines_it(entries):
    assert tree_hash(entries) == recursive(entries)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, unique=True), st.randoms())
def test_the_root_of_a_list_depends_on_every_entry_but_not_on_the_order(hashes, random):
    texts = [each.hex() for each in hashes]
    root = root_of(texts)
    random.shuffle(texts)
    assert root_of(texts) == root
    assert root_of(texts[1:]) != root
    assert root_of([each.upper() for each in texts]) == root
