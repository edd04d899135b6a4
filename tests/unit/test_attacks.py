"""Every attack in docs/accountability.md has its test."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_attack_with_a_named_test_has_that_test():
    text = (ROOT / "docs/accountability.md").read_text()
    section = text.partition("## Attacks that are tests")[2].partition("\n## ")[0]
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", section)
    assert len(named) > 10
    for path, name in named:
        functions = [
            node.name
            for node in ast.walk(ast.parse((ROOT / path).read_text()))
            if isinstance(node, ast.FunctionDef)
        ]
        assert functions.count(name) == 1, f"{path}::{name}"
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert all("::test_" in row for row in rows)
