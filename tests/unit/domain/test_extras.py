"""A missing module is reported with its extra; no package index has our packages."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from openlfr.domain import extras

ROOT = Path(__file__).resolve().parents[3]
TABLES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def modules_of(extra: str) -> set[str]:
    """The modules of the packages that an extra asks for, as they are installed here."""
    asked = {re.split(r"[\[<>=~! ;]", each)[0].lower() for each in TABLES[extra]}
    installed = importlib.metadata.packages_distributions()
    return {
        module
        for module, packages in installed.items()
        if asked & {each.lower() for each in packages} and not module.startswith("_")
    }


@pytest.mark.parametrize("extra", ["analysis", "stores", "report", "city", "cpu"])
def test_every_module_of_an_extra_is_declared(extra: str) -> None:
    ours = {"dummy", "insightface_privateframe_bootstrap"}  # packages' own, imported by nobody
    found = {module for module in modules_of(extra) if module.isidentifier()} - ours
    assert {module for module in found if extras.extra_of(module) is None} == set()


@pytest.mark.parametrize(
    ("module", "advice"),
    [("faust.app", "setup --city "), ("cv2", "setup "), ("jinja2", "setup "), ("redis", "setup ")],
)
def test_the_advice_brings_it(module: str, advice: str) -> None:
    extra = extras.extra_of(module)
    assert extra is not None
    assert f"run scripts/{advice}in the folder" in extras.install_advice(extra)


def test_no_module_of_another_has_an_advice() -> None:
    assert extras.extra_of("openlfr.cli") is None
    assert extras.extra_of(None) is None


def test_no_message_recommends_a_package_that_no_index_has() -> None:
    folders = ("src", "services", "examples", "docs", "deploy", "scripts")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += ROOT.glob("*.md")
    assert len(files) > 300
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in files
        if re.search(rb"pip3? install [^\n]*\bopenlfr\b", path.read_bytes())
        and path != ROOT / "src/openlfr/domain/extras.py"
    ]
    assert [name for name in wrong if "__pycache__" not in name] == []
