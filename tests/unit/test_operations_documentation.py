"""docs/operations.md names every metric and every variable."""

from __future__ import annotations

import re
from pathlib import Path

from openlfr.settings.variables import KEYS_BY_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_exactly_the_existing_metrics_are_listed():
    sources = [
        *(ROOT / "src/openlfr/adapters").rglob("*.py"),
        *(ROOT / "services").glob("*/openlfr_*/metrics.py"),
    ]
    made = {
        name
        for source in sources
        for name in re.findall(r'^\s+"(openlfr_[a-z_]+)",', source.read_text(), re.MULTILINE)
        + re.findall(r'(?:gauge|count)\("(openlfr_[a-z_]+)"', source.read_text())
    } - {"openlfr_references"}
    assert len(made) >= 20
    documented = set(re.findall(r"`(openlfr_[a-z_]+)`", PAGE))
    assert {name.removesuffix("_total") for name in documented} == made


def test_every_variable_is_listed():
    for name in KEYS_BY_VARIABLE:
        server = "_".join(name.split("_")[:2])
        key = name.removeprefix(server)
        assert f"`{name}`" in PAGE or (server in PAGE and (key == "_URL" or f"`{key}`" in PAGE))
