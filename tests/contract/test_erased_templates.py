"""Removed templates are in no file of Milvus Lite's folder, wherever the process was killed."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.contract.erased import holders

from openlfr.adapters.milvus import lite as milvus_lite
from openlfr.adapters.milvus.template_store import MilvusTemplateStore
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template

FACTS = GalleryFacts("sface", "a" * 64, 128, "arcface-112", 0.4)


def template(number: int, *, sparse: bool = False) -> StoredTemplate:
    vector = np.random.default_rng(number).normal(size=FACTS.dimension).astype(np.float32)
    if sparse:
        vector[::2] = 0
    vector /= np.linalg.norm(vector)
    return StoredTemplate(f"r{number:03}", "default", "Ann", hash_template(vector), vector)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "milvus"


@pytest.fixture
def store(folder):
    opened = MilvusTemplateStore(str(folder), FACTS)
    yield opened
    opened.close()


def ids(store):
    return [each.reference_id for each in store.all(["default"])]


def test_the_scan_finds_a_vector_in_a_file(store, folder):
    store.put([template(1), template(2, sparse=True)])
    assert holders(folder, template(1).vector)
    assert holders(folder, template(2, sparse=True).vector)
    assert not holders(folder, template(3).vector)


@pytest.mark.parametrize("again", [False, True], ids=["at once", "in a folder opened again"])
def test_a_removed_template_is_in_no_file(folder, again):
    store = MilvusTemplateStore(str(folder), FACTS)
    store.put([template(n, sparse=n == 1) for n in range(6)])
    store.put([template(n) for n in range(6, 9)])  # another file
    if again:
        store.close()
        store = MilvusTemplateStore(str(folder), FACTS)  # this creates the indexes
    store.remove(["r001", "r007"])
    gone = [template(1, sparse=True), template(7)]
    assert [holders(folder, each.vector) for each in gone] == [[], []]
    assert ids(store) == ["r000", "r002", "r003", "r004", "r005", "r006", "r008"]
    assert all(hash_template(t.vector) == t.template_hash for t in store.all(["default"]))
    store.close()
    assert [holders(folder, each.vector) for each in gone] == [[], []]
    store = MilvusTemplateStore(str(folder), FACTS)
    assert len(ids(store)) == 7
    store.put([template(1)])  # the same id may be stored again
    assert len(ids(store)) == 8
    store.close()


def test_the_last_template_leaves_an_empty_folder_that_works(store, folder):
    store.put([template(1)])
    store.remove(["r001"])
    assert holders(folder, template(1).vector) == []
    assert ids(store) == []
    store.put([template(2)])
    assert ids(store) == ["r002"]


def test_replaced_templates_are_deleted_with_the_next_removal(store, folder):
    store.put([template(1), template(2)])
    other = template(3)
    store.put([StoredTemplate("r001", "default", "Ann", other.template_hash, other.vector)])
    store.remove(["r002"])
    assert holders(folder, template(1).vector) == holders(folder, template(2).vector) == []
    assert ids(store) == ["r001"]


def test_a_process_killed_at_any_step_loses_no_row_and_leaves_no_removed_one(
    folder, tmp_path, monkeypatch
):
    """After each step of a removal the folder is opened, as the next process would open it."""
    store = MilvusTemplateStore(str(folder), FACTS)
    store.put([template(n) for n in range(4)])
    store.put([template(n) for n in range(4, 6)])
    steps = []

    def keep(*, cut: str | None = None):
        steps.append(tmp_path / f"step{len(steps):03}")
        shutil.copytree(folder, steps[-1])
        if cut:  # half of the file that the step was writing
            half = steps[-1] / os.path.relpath(cut, folder)
            half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])

    def watched(function, *, written: bool = False):
        def call(*args, **named):
            keep()
            result = function(*args, **named)
            keep(cut=str(args[1]) if written else None)
            return result

        return call

    with monkeypatch.context() as patch:
        for name in ("replace", "remove", "unlink", "fsync"):
            patch.setattr(os, name, watched(getattr(os, name)))
        patch.setattr(pq, "write_table", watched(pq.write_table, written=True))
        store.remove(["r001", "r004"])
    store.close()
    assert len(steps) > 10
    for step in steps:
        opened = MilvusTemplateStore(str(step), FACTS)
        kept = {each.reference_id: each for each in opened.all(["default"])}
        standing = {"r000", "r002", "r003", "r005"}
        assert standing <= kept.keys(), step
        assert all(hash_template(t.vector) == t.template_hash for t in kept.values())
        # The remaining removals are repeated, since the records list them as due.
        opened.remove(sorted({"r001", "r004"} & kept.keys()))
        opened.close()
        for number in (1, 4):
            assert holders(step, template(number).vector) == [], step


def test_a_full_disk_is_unavailable_and_the_next_opening_continues(folder, monkeypatch):
    store = MilvusTemplateStore(str(folder), FACTS)
    store.put([template(1), template(2)])

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(milvus_lite, "rewrite", full)
        with pytest.raises(milvus_lite.Unavailable, match="No space left"):
            store.remove(["r001"])
    assert holders(folder, template(1).vector)
    store.close()
    MilvusTemplateStore(str(folder), FACTS).close()
    assert holders(folder, template(1).vector) == []
