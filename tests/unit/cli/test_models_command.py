"""`openlfr models` as a person calls it."""

from __future__ import annotations

import json

import pytest

from openlfr.cli import main


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENLFR_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_install_from_a_folder_then_list_and_verify(empty, model_store, capsys):
    assert main(["models", "install", "--from", str(model_store.folder)]) == 0
    output = capsys.readouterr().out
    assert "yunet is ready (MIT)" in output
    assert "sface is ready (Apache-2.0)" in output
    assert "runs on: " in output

    (empty / "other.onnx").write_bytes(b"whatever")
    assert main(["models", "list"]) == 0
    output = capsys.readouterr()
    assert output.out.count("verified") == 2
    assert "Age, sex, race and emotion heads are never loaded" in output.out
    assert "other.onnx is not in the catalogue, and is never loaded" in output.err

    assert main(["models", "verify"]) == 0


def test_list_as_json(empty, capsys):
    assert main(["models", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["state"]) for row in rows] == [
        ("yunet", "not installed"),
        ("sface", "not installed"),
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["verify"], "run `openlfr models install`"),
        (["install", "--from", "/nowhere"], "there is no folder /nowhere"),
    ],
)
def test_an_error_is_printed_in_one_sentence(empty, capsys, words, sentence):
    assert main(["models", *words]) == 2
    assert sentence in capsys.readouterr().err
