"""An app that is made but not at work: no folder where a process was started, no thread."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.kafka.access import KafkaAccess


def test_creating_an_app_writes_only_to_its_own_folder_and_starts_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app, _ = faust_app.make_app(
        group="folders", instance="", brokers=KafkaAccess(("127.0.0.1:1",)), from_beginning=True,
        max_bytes=1 << 20,
    )  # fmt: skip
    assert Path(app.conf.datadir).is_relative_to(tempfile.gettempdir())
    assert not Path(app.conf.datadir).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert "lag-watch" not in {thread.name for thread in threading.enumerate()}
