"""Other packages import only names that a package declares in `__all__` and documents."""

from __future__ import annotations

import ast
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("src", "services", "tests", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "wire/v1" not in str(path) and "migrations" not in str(path)
]


def is_package(dotted: str) -> bool:
    return (ROOT / "src" / dotted.replace(".", "/") / "__init__.py").is_file()


def is_module(dotted: str) -> bool:
    return is_package(dotted) or (ROOT / "src" / f"{dotted.replace('.', '/')}.py").is_file()


def taken() -> dict[str, set[str]]:
    """Names that some file imports from a package, by package; submodules left out."""
    found = defaultdict(set)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and is_package(node.module or ""):
                names = {alias.name for alias in node.names}
                found[node.module] |= {
                    name for name in names if not is_module(f"{node.module}.{name}")
                }
    return {package: names for package, names in found.items() if names}


TAKEN = taken()


def test_packages_are_found() -> None:
    assert {"openlfr.ports", "openlfr.testing", "openlfr.bootstrap"} <= TAKEN.keys()


@pytest.mark.parametrize("package", sorted(TAKEN.keys() - {"openlfr"}))
def test_a_package_declares_the_names_that_others_import(package: str) -> None:
    module = import_module(package)
    declared = list(module.__all__)
    private = {name for name in TAKEN[package] if name.startswith("_")}
    assert TAKEN[package] - private <= set(declared)
    assert sorted(declared) == sorted(set(declared))
    for name in declared:
        exported = getattr(module, name)
        if isinstance(exported, type | FunctionType) and exported.__module__.startswith(package):
            assert (exported.__doc__ or "").strip(), name
