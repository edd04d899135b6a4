"""`openlfr demo`: one command finds the listed people of a simulated street."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from openlfr.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from openlfr.adapters.models.store import ModelStore


def test_the_demo_finds_the_listed_people_and_no_stranger(
    model_store: ModelStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENLFR_MODELS", str(model_store.folder))
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out), "--seconds", "16"]) == 0
    printed = capsys.readouterr().out
    assert "is no evidence of accuracy" in printed
    assert "no false alert" in printed
    page = (out / "report" / "report.html").read_text(encoding="utf-8")
    assert "is no evidence of accuracy" in page
    truth = json.loads((out / "report" / "report.json").read_text(encoding="utf-8"))["truth"]
    assert truth["found"] == truth["passes"] > 0
    assert truth["wrong"] == 0
    assert truth["strangers"] > 0
    _refute_every_alert(out)
    assert "data:image" not in (out / "report" / "annex.html").read_text(encoding="utf-8")


def _refute_every_alert(out: Path) -> None:
    """Record for every alert that the wrong person was stopped."""
    lines = (out / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    decision = ["engage", "--by", "Ann", "--because", "features_agree", "--outcome", "refuted"]
    for alert in {json.loads(line)["alert_id"] for line in lines}:
        command = ["alerts", "decide", alert, *decision, "--config", str(out / "CONFIG.yaml")]
        assert main(command) == 0


def test_the_demo_does_not_touch_a_foreign_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "did not create" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()
