"""Faust makes folders of its own: never where a process was started, which may be read-only."""

from __future__ import annotations

import tempfile
from pathlib import Path

from openlfr.adapters import faust_agents
from openlfr.adapters.kafka_access import KafkaAccess


def test_faust_keeps_its_folders_among_the_temporary_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app, _ = faust_agents.make_app(
        group="folders", instance="", brokers=KafkaAccess(("127.0.0.1:1",)), from_beginning=True,
        max_bytes=1 << 20,
    )  # fmt: skip
    assert Path(app.conf.datadir).is_relative_to(tempfile.gettempdir())
    assert not Path(app.conf.datadir).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []
