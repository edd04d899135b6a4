"""The common behaviour of template stores, and Milvus's own."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymilvus import MilvusClient

from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.adapters.milvus.collection import COLLECTION
from openlfr.adapters.milvus.template_store import MilvusTemplateStore
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template

FACTS = GalleryFacts("sface", "a" * 64, 8, "arcface-112", 0.4)


def template(reference_id, watchlist="default", subject="Ann", seed=0):
    vector = np.random.default_rng(seed).normal(size=FACTS.dimension).astype(np.float32)
    vector /= np.linalg.norm(vector)
    return StoredTemplate(reference_id, watchlist, subject, hash_template(vector), vector)


@pytest.fixture(
    params=["milvus lite", "memory", pytest.param("milvus server", marks=pytest.mark.service)]
)
def store(request, tmp_path):
    if request.param == "memory":
        opened = MemoryTemplateStore(FACTS)
    elif request.param == "milvus lite":
        opened = MilvusTemplateStore(str(tmp_path / "milvus"), FACTS)
    else:
        url = request.getfixturevalue("servers").url("milvus")
        drop_collection(url)
        opened = MilvusTemplateStore(url, FACTS)
    yield opened
    opened.close()
    if request.param == "milvus server":
        drop_collection(url)  # it is of a model that does not exist


def drop_collection(url):
    client = MilvusClient(url)
    client.drop_collection(COLLECTION)
    client.close()


def ids(templates):
    return [t.reference_id for t in templates]


def test_returns_every_field_and_exactly_the_same_numbers(store):
    given = template("r1", 'grün "ä" \\ \' list', "Zoë O'Neill", seed=3)
    store.put([given])
    (found,) = store.all([given.watchlist])
    assert (found.reference_id, found.watchlist, found.subject, found.template_hash) == (
        given.reference_id, given.watchlist, given.subject, given.template_hash,
    )  # fmt: skip
    assert found.vector.dtype == np.float32
    assert hash_template(found.vector) == given.template_hash
    assert store.facts() == FACTS


def test_returns_the_chosen_references_and_omits_unknown_ones(store):
    store.put([template("b"), template("a", "other"), template("c", seed=2)])
    found = store.get(["c", "a", "gone"])
    assert ids(found) == ["a", "c"]
    assert (
        found[1].template_hash
        == hash_template(found[1].vector)
        == template("c", seed=2).template_hash
    )
    assert store.get([]) == []


def test_a_reader_creates_nothing_and_reads_another_process_s_collection(tmp_path):
    folder = str(tmp_path / "milvus")
    reader = MilvusTemplateStore(folder, FACTS, read_only=True)
    assert (reader.get(["a"]), reader.all(["default"]), reader.facts()) == ([], [], None)
    reader.close()
    writer = MilvusTemplateStore(folder, FACTS)
    writer.put([template("a")])
    writer.close()
    reader = MilvusTemplateStore(folder, FACTS, read_only=True)
    assert (ids(reader.get(["a"])), reader.facts()) == (["a"], FACTS)
    reader.close()


def test_lists_chosen_watchlists_ordered_by_reference(store):
    store.put([template("b"), template("a", "other"), template("c", "third"), template("0")])
    assert ids(store.all(["default", "other"])) == ["0", "a", "b"]
    assert store.all(["empty"]) == []
    assert store.all([]) == []


def test_put_replaces_by_reference(store):
    store.put([template("r1", subject="Ann", seed=1), template("r2", seed=2)])
    store.put([template("r1", subject="Bea", seed=5)])
    found = store.all(["default"])
    assert [(t.reference_id, t.subject) for t in found] == [("r1", "Bea"), ("r2", "Ann")]
    np.testing.assert_array_equal(found[0].vector, template("r1", seed=5).vector)


def test_remove_deletes_known_references_and_ignores_unknown_ones(store):
    store.put([template("r1"), template("r2")])
    store.remove(["r1", "never there"])
    store.remove([])
    assert ids(store.all(["default"])) == ["r2"]


@pytest.mark.parametrize(
    "vector",
    [
        np.full(8, np.nan, np.float32),
        np.array([np.inf] + [0] * 7, np.float32),
        np.zeros(8, np.float32),
        np.full(8, 1.0, np.float32),
        np.array([1, 0, 0, 0], np.float32),
    ],
    ids=["nan", "infinite", "zero", "too long", "of another dimension"],
)
def test_refuses_a_vector_that_is_no_template_and_stores_none_of_the_call(store, vector):
    with pytest.raises(BadInput, match="template of reference bad"):
        store.put([template("good"), replace(template("bad"), vector=vector)])
    assert store.all(["default"]) == []


def test_closes_twice(store):
    store.close()
    store.close()


def test_milvus_retains_templates_when_opened_again(tmp_path):
    for count in (1, 2, 3):
        store = MilvusTemplateStore(str(tmp_path), FACTS)
        store.put([template(f"r{count}")])
        assert len(store.all(["default"])) == count
        store.close()


def test_milvus_returns_more_rows_than_one_response_may_contain(tmp_path):
    store = MilvusTemplateStore(str(tmp_path), FACTS)
    vector = template("x").vector
    store.put([StoredTemplate(f"r{i:05d}", "default", "Ann", "h", vector) for i in range(17_000)])
    found = ids(store.all(["default"]))
    store.close()
    assert found == [f"r{i:05d}" for i in range(17_000)]


@pytest.mark.parametrize(
    "other",
    [{"model_sha256": "b" * 64}, {"dimension": 16}, {"alignment": "other"}],
    ids=["model", "dimension", "alignment"],
)
def test_milvus_refuses_templates_of_another_model(tmp_path, other):
    MilvusTemplateStore(str(tmp_path), FACTS).close()
    with pytest.raises(Misconfigured, match="such templates cannot be compared"):
        MilvusTemplateStore(str(tmp_path), replace(FACTS, **other))
    MilvusTemplateStore(str(tmp_path), FACTS).close()  # the refusal released the folder


def test_milvus_retains_the_threshold_of_a_new_gallery(tmp_path):
    MilvusTemplateStore(str(tmp_path), FACTS).close()
    store = MilvusTemplateStore(str(tmp_path), replace(FACTS, default_threshold=0.9))
    assert store.facts() == FACTS
    store.close()


def test_milvus_rebuilds_an_index_that_a_killed_process_left_incomplete(tmp_path):
    with_index(tmp_path)
    indexes = list(tmp_path.rglob("*.idx"))
    assert indexes
    for index in indexes:
        index.write_bytes(b"")
    store = MilvusTemplateStore(str(tmp_path), FACTS)
    assert [t.reference_id for t in store.all(["default"])] == ["r1"]
    store.close()


def with_index(folder):
    """Return a reopened store, so that its rows are in a segment with an index."""
    store = MilvusTemplateStore(str(folder), FACTS)
    store.put([template("r1", seed=1)])
    store.close()
    MilvusTemplateStore(str(folder), FACTS).close()


def test_a_milvus_folder_in_use_is_reported_as_unavailable(tmp_path, monkeypatch):
    monkeypatch.setattr("openlfr.adapters.milvus.lite._LOCK_TIMEOUT_S", 0.3)
    store = MilvusTemplateStore(str(tmp_path), FACTS)
    with pytest.raises(Unavailable, match="Another process uses"):
        MilvusTemplateStore(str(tmp_path), FACTS)
    store.close()


def test_milvus_server_that_does_not_answer_is_unavailable():
    with pytest.raises(Unavailable, match=r"Milvus at http://127\.0\.0\.1 does not answer"):
        MilvusTemplateStore("http://127.0.0.1:9", FACTS)


WRITER = """
import sys
from tests.contract.test_template_store import FACTS, MilvusTemplateStore, template
store = MilvusTemplateStore(sys.argv[1], FACTS)
for number in range(10_000):
    store.put([template(f"r{number:05d}", seed=number)])
    print(number, flush=True)
"""


def test_milvus_retains_every_acknowledged_template_through_kill_9(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    acknowledged = [int(process.stdout.readline()) for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    acknowledged += [int(line) for line in rest.split()]
    left = Path((tmp_path / "socket.txt").read_text())
    assert left.is_dir()
    store = MilvusTemplateStore(str(tmp_path), FACTS)
    assert not left.exists()
    found = {t.reference_id: t for t in store.all(["default"])}
    store.close()
    assert not (tmp_path / "socket.txt").exists()
    for number in acknowledged:
        expected = template(f"r{number:05d}", seed=number)
        assert hash_template(found[expected.reference_id].vector) == expected.template_hash
