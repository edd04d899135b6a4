"""No two modules import each other, not even for type hints or within functions.

Modules that import each other can only be read, tested and changed together.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    ROOT / "src/openlfr",
    ROOT / "services/ingest/openlfr_ingest",
    ROOT / "services/analysis/openlfr_analysis",
    ROOT / "services/alerting/openlfr_alerting",
)


def _modules() -> dict[str, Path]:
    """Every module's file, by the module's dotted name."""
    found = {}
    for package in PACKAGES:
        for file in package.rglob("*.py"):
            parts = file.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def _imports(source: str) -> Iterator[str]:
    """The dotted names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not followed here"
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _graph(modules: dict[str, Path]) -> dict[str, set[str]]:
    """The modules that each module imports."""
    graph = {}
    for name, file in modules.items():
        imported = _imports(file.read_text())
        targets = {each if each in modules else each.rpartition(".")[0] for each in imported}
        graph[name] = targets & modules.keys() - {name}
    return graph


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one cycle in a graph; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other() -> None:
    graph = _graph(_modules())
    assert len(graph) > 300  # the packages were found

    assert not _cycle(graph)


def test_a_cycle_is_found() -> None:
    assert set(_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}


def test_imports_for_type_hints_and_in_functions_count() -> None:
    source = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from openlfr.domain.faces import Box
def load():
    import openlfr.files
"""

    assert set(_imports(source)) >= {"openlfr.domain.faces.Box", "openlfr.files"}
