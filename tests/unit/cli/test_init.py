"""What `openlfr init` writes is valid, complete, private and never written over."""

from __future__ import annotations

import csv
import re
import stat

import pytest
from pydantic import BaseModel

from openlfr import settings
from openlfr.cli import main
from openlfr.domain.deployment import Authorisation
from openlfr.domain.errors import Misconfigured
from openlfr.settings import Camera, Settings


@pytest.fixture
def begun(tmp_path):
    assert main(["init", str(tmp_path / "new")]) == 0
    return tmp_path / "new"


def keys_of(schema):
    for name, field in schema.model_fields.items():
        yield field.alias or name
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys_of(inner)
    if schema is Settings:
        yield from keys_of(Camera)


def test_the_configuration_is_valid_and_all_defaults(begun):
    found = settings.load(begun / "CONFIG.yaml")
    (begun / "BARE.yaml").write_text("data_dir: data\ncameras: {gate: {url: gate.mp4}}\n")
    assert found.model_dump() == settings.load(begun / "BARE.yaml").model_dump()


@pytest.mark.parametrize("key", sorted(set(keys_of(Settings))))
def test_every_key_is_explained(begun, key):
    assert re.search(rf"^ *(# )?{key}:", (begun / "CONFIG.yaml").read_text(), re.MULTILINE)


def test_only_the_authorisation_is_left_to_fill_in(begun):
    with pytest.raises(Misconfigured) as caught:
        settings.require_authorisation(settings.load(begun / "CONFIG.yaml"))
    assert all(
        f"deployment.{field}" in str(caught.value) for field in Authorisation.__dataclass_fields__
    )


def test_examples_in_comments_are_valid(begun):
    path = begun / "CONFIG.yaml"
    lines = [
        re.sub(r"^( *)# (\w+: \S.*)$", r"\1\2", line)
        if not line.strip().startswith("# target_fpir")
        else line
        for line in path.read_text().splitlines()
    ]
    text = re.sub(r"^(services|ingest): {}$", r"\1:", "\n".join(lines), flags=re.MULTILINE)
    path.write_text(text)
    camera = settings.load(path).cameras["gate"]
    assert (camera.fps, camera.input_size) == (10, (1280, 1280))


def test_the_manifest_has_the_columns_and_its_example_cannot_be_imported(begun):
    with (begun / "manifest.csv").open() as file:
        (example,) = csv.DictReader(file)
    assert list(example) == [
        "subject", "image", "category", "legal_basis", "source", "captured_on", "enrolled_by",
        "authorised_by", "expires",
    ]  # fmt: skip
    assert None not in example.values()
    assert example["expires"] < "2001"
    assert not (begun / example["image"]).exists()
    assert all(f"\n{column} " in (begun / "README.txt").read_text() for column in example)


def test_other_users_cannot_read_the_configuration(begun):
    modes = {name: stat.S_IMODE((begun / name).stat().st_mode) for name in ("data", "CONFIG.yaml")}
    assert modes == {"data": 0o700, "CONFIG.yaml": 0o600}


def test_no_file_is_overwritten(begun, capsys):
    (begun / "CONFIG.yaml").write_text("mine")
    (begun / "manifest.csv").unlink()
    assert main(["init", str(begun)]) == 0
    messages = capsys.readouterr().out
    assert (begun / "CONFIG.yaml").read_text() == "mine"
    assert f"{begun / 'CONFIG.yaml'} exists already" in messages
    assert f"wrote {begun / 'manifest.csv'}" in messages


def test_a_file_in_the_way(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err
