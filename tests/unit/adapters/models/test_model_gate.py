"""What a graph may not hold, wherever in it: names of attributes, their labels, further files."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from onnx import AttributeProto, TensorProto, helper

from openlfr.adapters.models.store import ModelStore
from openlfr.domain.errors import Misconfigured


def plain_model():
    """An embedder that the gate lets through."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"], name="stage4_pool"),
        helper.make_node("Identity", ["mean"], ["template"]),
    ]
    graph = helper.make_graph(
        nodes,
        "embedder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("template", TensorProto.FLOAT, [1, 512])],
        [helper.make_tensor("weight", TensorProto.FLOAT, [2], [1.0, 2.0])],
    )
    return helper.make_model(graph)


@pytest.fixture
def ready(tmp_path):
    """State a model as an operator does, and have it verified."""

    def state(model, file="mine.onnx", name="mine"):
        content = model if isinstance(model, bytes) else model.SerializeToString()
        (tmp_path / file).write_bytes(content)
        stated = {
            "task": "embedding",
            "family": "arcface",
            "file": file,
            "sha256": sha256(content).hexdigest(),
            "licence": "ours",
            "mean": 127.5,
            "std": 127.5,
            "default_threshold": 0.4,
        }
        (tmp_path / f"{name}.model.json").write_text(json.dumps(stated))
        return ModelStore(tmp_path).load(name)

    return state


def subgraph_of(tensor=None, name="inner"):
    node = helper.make_node("Identity", ["inner_in"], ["inner_out"], name=name)
    return helper.make_graph([node], "branch", [], [], [tensor] if tensor else [])


def external(where="weights.bin"):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=where)
    return tensor


def within_if(model, tensor):
    model.graph.node.add(op_type="If").attribute.append(
        helper.make_attribute("then_branch", subgraph_of(tensor))
    )


def within_two(model, tensor):
    inner = subgraph_of(tensor)
    outer = helper.make_graph(
        [helper.make_node("If", ["c"], ["o"], then_branch=inner)], "o", [], []
    )
    model.graph.node.add(op_type="Loop").attribute.append(helper.make_attribute("body", outer))


def within_function(model, tensor):
    node = model.functions.add(name="f", domain="d").node.add(op_type="Constant")
    node.attribute.append(helper.make_attribute("value", tensor))


def within_list(model, tensor):
    attribute = model.graph.node.add(op_type="Custom").attribute.add(name="t")
    attribute.type = AttributeProto.TENSORS
    attribute.tensors.append(tensor)


def within_sparse(model, tensor):
    model.graph.sparse_initializer.add().values.CopyFrom(tensor)


def within_training(model, tensor):
    model.training_info.add().initialization.initializer.append(tensor)


PLACES = {
    "an initializer": lambda model, tensor: model.graph.initializer.append(tensor),
    "a subgraph": within_if,
    "a subgraph of a subgraph": within_two,
    "a function": within_function,
    "a list of tensors": within_list,
    "a sparse tensor": within_sparse,
    "training": within_training,
}


def test_the_plain_model_passes(ready):
    assert ready(plain_model()).content


@pytest.mark.parametrize("put", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("where", ["weights.bin", "../outside.bin", "/etc/passwd", ""])
def test_data_in_further_files_is_refused(ready, put, where):
    model = plain_model()
    put(model, external(where))
    with pytest.raises(Misconfigured, match="it reads a further file"):
        ready(model)


def test_a_location_without_the_mark_and_a_mark_without_location_are_refused(ready):
    for spoil in (
        lambda tensor: tensor.ClearField("data_location"),
        lambda tensor: tensor.ClearField("external_data"),
    ):
        model, tensor = plain_model(), external()
        spoil(tensor)
        model.graph.initializer.append(tensor)
        with pytest.raises(Misconfigured, match="it reads a further file"):
            ready(model)


def test_a_compiled_network_beside_the_model_is_refused(ready):
    model = plain_model()
    node = model.graph.node.add(op_type="EPContext", domain="com.microsoft")
    node.attribute.append(helper.make_attribute("ep_cache_context", "../engine.bin"))
    with pytest.raises(Misconfigured, match="it reads a further file"):
        ready(model)


def name_graph(model, text):
    model.graph.name = text


def name_node(model, text):
    model.graph.node[0].name = text


def name_output(model, text):
    model.graph.output[0].name = model.graph.node[1].output[0] = text


def name_weight(model, text):
    model.graph.initializer[0].name = text


def name_inner(model, text):
    model.graph.node.add(op_type="If").attribute.append(
        helper.make_attribute("then_branch", subgraph_of(name=text))
    )


def name_function(model, text):
    model.functions.add(name=text, domain="d")


def key(model, text):
    model.metadata_props.add(key=text, value="1")


def value(model, text):
    model.metadata_props.add(key="about", value=text)


def node_value(model, text):
    model.graph.node[0].metadata_props.add(key="scope", value=text)


def doc(model, text):
    model.doc_string = f"This is {text}."


def node_doc(model, text):
    model.graph.node[0].doc_string = text


def producer(model, text):
    model.producer_name = text


def label(model, text):
    node = model.graph.node.add(op_type="ZipMap", domain="ai.onnx.ml")
    node.attribute.append(helper.make_attribute("classlabels_strings", [text, "other"]))


def constant(model, text):
    model.graph.initializer.append(
        helper.make_tensor("labels", TensorProto.STRING, [1], [text.encode()])
    )


@pytest.mark.parametrize(
    "put",
    [
        name_graph,
        name_node,
        name_output,
        name_weight,
        name_inner,
        name_function,
        key,
        value,
        node_value,
        doc,
        node_doc,
        producer,
        label,
        constant,
    ],
)
@pytest.mark.parametrize("text", ["agenet", "imdb_ages", "FairFace", "GenderAge", "ethnicities"])
def test_an_attribute_is_found_wherever_it_is_named(ready, put, text):
    model = plain_model()
    put(model, text)
    with pytest.raises(Misconfigured, match="it contains the word '"):
        ready(model)
    model = plain_model()
    put(model, "stage_average_image_agent")
    assert ready(model)


@pytest.mark.parametrize(
    "file", ["agenet", "imdb_ages", "fairface", "emotion_ferplus", "genderage"]
)
def test_a_file_and_a_statement_are_recognised_by_name(ready, file):
    with pytest.raises(Misconfigured, match=r"mine\.onnx is refused: its name contains"):
        ready(plain_model(), name=file)
    with pytest.raises(Misconfigured, match=rf"{file}\.onnx is refused: its name contains"):
        ready(plain_model(), file=f"{file}.onnx", name="mine")


def test_labels_reveal_what_names_hide(ready):
    model = plain_model()
    node = model.graph.node.add(op_type="LabelEncoder", domain="ai.onnx.ml")
    node.attribute.append(helper.make_attribute("values_strings", ["happy", "sad", "neutral"]))
    with pytest.raises(Misconfigured, match="its labels are 'happy, neutral, sad'"):
        ready(model)


def test_an_unparsable_file_is_reported_in_one_sentence(ready):
    with pytest.raises(Misconfigured, match="is no ONNX graph"):
        ready(b"\x0a\xff\xff\xff not a graph")
