"""Every act is one function in `operations`: nothing else builds an event, opens records, or SQL.

That no file in `cli` imports what is below it is a contract in pyproject.toml (import-linter).
"""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from openlfr import domain
from openlfr.domain import audit

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src/openlfr"
MOST_PARAMETERS = 6

for module in pkgutil.iter_modules(domain.__path__):
    if module.name.startswith("audit_"):  # for the classes that they declare
        importlib.import_module(f"{domain.__name__}.{module.name}")


def kinds_of(base: type) -> Iterator[str]:
    yield base.__name__
    for each in base.__subclasses__():
        yield from kinds_of(each)


EVENTS = frozenset({audit.AuditEvent.__name__, *kinds_of(audit.ActDetails)})
"""Names of the classes of which an event is made."""


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The arguments of a call."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    if names[:1] in (["self"], ["cls"]):
        del names[0]
    names += [each.arg for each in given.kwonlyargs]
    return names + [each.arg for each in (given.vararg, given.kwarg) if each is not None]


def too_many_parameters(source: str) -> list[str]:
    """The functions of a file that take more than `MOST_PARAMETERS`."""
    return [
        f"{node.name}({', '.join(parameters(node))})"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and len(parameters(node)) > MOST_PARAMETERS
    ]


def events_built(source: str) -> list[str]:
    """Where a file builds an audit event or what happened in one, by whatever name."""
    tree = ast.parse(source)
    names = set(EVENTS)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("openlfr.domain.audit"):
            names |= {each.asname for each in node.names if each.asname}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                called = called.value if called.value.id in names else called  # as Opened.of(...)
            name = getattr(called, "id", getattr(called, "attr", ""))
            if name in names:
                found.append(f"line {node.lineno}: {name}")
    return found


def records_opened(source: str) -> list[str]:
    """Where a file opens records of its own making."""
    wanted = ("Records.open(", "MemoryRecords(", "create_engine(", "open_engine(")
    calls = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call))
    return [f"line {call.lineno}" for call in calls if f"{ast.unparse(call.func)}(" in wanted]


def files(*folders: str, but: tuple[str, ...] = ()) -> list[Path]:
    """The Python files under folders of the repository, without those under others."""
    left_out = [ROOT / each for each in but]
    every = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [p for p in every if not any(p.is_relative_to(each) for each in left_out)]


@pytest.mark.parametrize("path", files("src/openlfr/operations"), ids=lambda p: p.stem)
def test_no_operation_takes_more_than_six_parameters(path: Path) -> None:
    assert too_many_parameters(path.read_text()) == []


BUILD_EVENTS = ("src/openlfr/operations", "src/openlfr/domain")
OPEN_RECORDS = ("src/openlfr/bootstrap", "src/openlfr/adapters")


def test_only_operations_and_the_domain_build_events() -> None:
    found = {
        str(path.relative_to(ROOT)): built
        for path in files("src", "services", but=BUILD_EVENTS)
        if (built := events_built(path.read_text()))
    }
    assert found == {}


def test_records_are_opened_in_one_place() -> None:
    found = [
        path
        for path in files("src", "services", but=OPEN_RECORDS)
        if records_opened(path.read_text())
    ]
    assert found == []
    (where,) = (p for p in files("src/openlfr/bootstrap") if records_opened(p.read_text()))
    assert where.name == "stores.py"


def test_the_rules_detect_a_forbidden_call() -> None:
    assert too_many_parameters("def f(a, b, /, c, *, d, e, **f): ...") == []
    assert too_many_parameters("class C:\n def f(self, a, b, c, *, d, e, f): ...") == []
    assert too_many_parameters("async def f(a, b, c, *d, e, f, **g): ...") == [
        "f(a, b, c, e, f, d, g)"
    ]
    assert events_built("work.record(audit.AuditEvent(at, by, AlertErased('a', 'b', 1)))") == [
        "line 1: AuditEvent", "line 1: AlertErased",
    ]  # fmt: skip
    assert events_built("from openlfr.domain.audit import AuditEvent as E\n\nE(1)") == ["line 3: E"]
    assert events_built("ReferenceEnrolled.from_entry(entry)") == ["line 1: ReferenceEnrolled"]
    assert events_built("isinstance(what, AlertErased)\ntelling: AuditEvent") == []
    assert records_opened("import sqlalchemy as sa\nsa.x()\nRecords.open(url)") == ["line 3"]
    assert {"DeploymentStarted", "AlertDecidedLate", "ReferenceSuspended"} <= EVENTS
