"""Which settings are rules and camera inputs, so that a change of them opens a baseline."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openlfr import pipeline, settings
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.bootstrap import conditions, make_conditions
from openlfr.domain.templates import GalleryFacts
from openlfr.domain.thresholds import Threshold, ThresholdOrigin

FACTS = GalleryFacts("sface", "a" * 64, 128, "arcface-112", 0.4)
THRESHOLD = Threshold(0.4, ThresholdOrigin.SET, 3)
VAULT = MemoryVault()
CAMERAS = {
    "gate": "{url: 'rtsp://ann:secret@10.0.0.7/main?x=1', fps: 5}",
    "yard": "{url: 'rtsp://10.0.0.8/main'}",
}


@pytest.fixture(autouse=True)
def no_models(monkeypatch):
    monkeypatch.setattr(conditions, "list_models_used", lambda _: ())


@pytest.fixture
def conditions_with(tmp_path):
    def read(extra="", *, vault=VAULT, facts=FACTS, **cameras):
        path = tmp_path / "CONFIG.yaml"
        named = {name: text for name, text in (CAMERAS | cameras).items() if text}
        lines = "\n".join(f"  {name}: {text}" for name, text in named.items())
        path.write_text(f"data_dir: data\ncameras:\n{lines}\n{extra}\n")
        return make_conditions(settings.load(path, {}), "market", THRESHOLD, facts, vault)

    return read


INPUTS = {
    "another path": {"yard": "{url: 'rtsp://10.0.0.8/other'}"},
    "another host": {"yard": "{url: 'rtsp://10.0.0.9/main'}"},
    "another query": {"gate": "{url: 'rtsp://ann:secret@10.0.0.7/main?x=2', fps: 5}"},
    "another rate": {"gate": "{url: 'rtsp://ann:secret@10.0.0.7/main?x=1', fps: 6}"},
    "another input": {"yard": "{url: 'rtsp://10.0.0.8/main', input_size: 640}"},
    "a loop": {"yard": "{url: 'rtsp://10.0.0.8/main', loop: true}"},
    "one more": {"lane": "{url: 'rtsp://10.0.0.8/lane'}"},
    "one fewer": {"yard": ""},
}
NO_INPUTS = {
    "another password": {"gate": "{url: 'rtsp://bob:other@10.0.0.7/main?x=1', fps: 5}"},
    "a position": {"yard": "{url: 'rtsp://10.0.0.8/main', position: [1, 2]}"},
    "a start": {"yard": "{url: 'rtsp://10.0.0.8/main', start: 2026-01-01T00:00:00Z}"},
}


@pytest.mark.parametrize("change", INPUTS)
def test_keys_that_change_the_picture_are_inputs_of_a_camera(conditions_with, change):
    before, after = conditions_with(), conditions_with(**INPUTS[change])
    assert after.cameras != before.cameras
    assert replace(after, cameras=before.cameras) == before


@pytest.mark.parametrize("change", NO_INPUTS)
def test_credentials_and_the_address_of_a_camera_are_no_conditions(conditions_with, change):
    assert conditions_with(**NO_INPUTS[change]) == conditions_with()


def test_passwords_in_an_address_cannot_be_guessed_without_the_key(conditions_with):
    assert conditions_with(vault=MemoryVault()).cameras != conditions_with().cameras


@pytest.mark.parametrize("extra", ["alerting: {window: 5m}", "max_age: off", "max_age: 3s"])
def test_keys_that_decide_who_alerts_are_rules(conditions_with, extra):
    before, after = conditions_with(), conditions_with(extra)
    assert after.rules != before.rules
    assert replace(after, rules=before.rules) == before


def test_keys_of_the_analysis_and_of_templates_are_rules(conditions_with, monkeypatch):
    before = conditions_with()
    assert conditions_with(facts=replace(FACTS, alignment="other")).rules != before.rules
    rules = pipeline.AnalysisRules
    monkeypatch.setattr(pipeline, "AnalysisRules", lambda: replace(rules(), detector_score=0.6))
    assert conditions_with().rules != before.rules


@pytest.mark.parametrize(
    "extra",
    [
        "alerting: {retention: 10d, undo: 5s}", "ingest: {max_cameras: 3}",
        "matching: {index: milvus}", "enrolment: {min_quality: 30}", "models: {threads: 2}",
    ],
)  # fmt: skip
def test_no_other_key_is_a_condition(conditions_with, extra):
    assert conditions_with(extra) == conditions_with()


def test_the_order_of_cameras_is_no_condition(tmp_path, conditions_with):
    one = conditions_with()
    text = (tmp_path / "CONFIG.yaml").read_text().splitlines()
    gate, yard = (next(n for n, line in enumerate(text) if name in line) for name in CAMERAS)
    text[gate], text[yard] = text[yard], text[gate]
    (tmp_path / "CONFIG.yaml").write_text("\n".join(text))
    loaded = settings.load(tmp_path / "CONFIG.yaml", {})
    assert make_conditions(loaded, "market", THRESHOLD, FACTS, VAULT) == one
    assert loaded.max_age == timedelta(seconds=2)
