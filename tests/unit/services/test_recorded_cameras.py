"""Cameras whose frames' age counts from when Kafka received them, not from their capture."""

from __future__ import annotations

from openlfr import settings
from openlfr_analysis.service import list_recorded_cameras


def test_every_file_is_recorded_whether_or_not_its_start_is_set(tmp_path):
    """A film of last year says so itself: its frames are no older than when they were sent."""
    (tmp_path / "CONFIG.yaml").write_text(
        "data_dir: data\n"
        "cameras:\n"
        "  dated: {url: dated.mp4}\n"
        "  set: {url: set.mp4, start: 2026-11-23T09:00Z}\n"
        "  folder: {url: pictures}\n"
        "  address: {url: 'file:///films/a.mp4'}\n"
        "  rtsp: {url: 'rtsp://10.0.0.7/main'}\n"
        "  http: {url: 'http://10.0.0.7/video'}\n"
        "  usb: {url: 0}\n"
    )
    loaded = settings.load(tmp_path / "CONFIG.yaml")
    assert sorted(list_recorded_cameras(loaded)) == ["address", "dated", "folder", "set"]
