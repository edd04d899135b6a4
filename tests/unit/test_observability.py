"""Logs carry ids and never a face, a template or a password."""

from __future__ import annotations

import io
import json
import logging

import numpy as np
import pytest
import structlog

from openlfr.observability import configure_logging
from openlfr.testing import ManualClock


@pytest.fixture
def logged():
    """Configure logging into a buffer, and leave none of it behind."""
    stream = io.StringIO()

    def configure(**how):
        configure_logging(stream=stream, **how)
        return structlog.get_logger(), stream

    yield configure
    configure_logging()
    structlog.reset_defaults()


def test_a_line_is_json_with_its_ids(logged):
    log, stream = logged(as_json=True)
    log.warning("frame_unreadable", camera="gate", seq=17)
    line = json.loads(stream.getvalue())
    assert line.pop("at").endswith("Z")
    assert line == {"event": "frame_unreadable", "camera": "gate", "seq": 17, "level": "warning"}


def test_private_things_are_not_written(logged):
    log, stream = logged(as_json=True)
    log.info("x", face=np.full((2, 3), 0.123), blob=b"abc", url="rtsp://me:secret@h/1", score=0.5)
    line = json.loads(stream.getvalue())
    assert line["face"] == "<array 2x3, not logged>"
    assert line["blob"] == "<3 bytes, not logged>"
    assert line["url"] == "rtsp://h"
    assert line["score"] == 0.5


def test_a_message_below_the_level_is_not_formatted(logged):
    class Costly:
        def __str__(self):
            raise AssertionError("formatted")

    log, stream = logged(level="warning")
    log.info("x", value=Costly())
    assert stream.getvalue() == ""


def test_a_person_reads_plain_lines(logged):
    log, stream = logged()
    log.info("camera_opened", camera="gate")
    assert "camera_opened" in stream.getvalue()
    assert "camera=gate" in stream.getvalue()


def test_a_library_warning_is_logged_in_our_format(logged):
    _, stream = logged(as_json=True)
    library = logging.getLogger("aiokafka.consumer")
    library.info("joined")
    library.error("Group %s failed at kafka://me:secret@broker", "analysis")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["name"]) == ("library", "error", library.name)
    assert line["said"] == "Group analysis failed at kafka://broker"
    logged(as_json=False)
    library.error("for a person")
    assert "for a person" not in stream.getvalue()


def test_library_warnings_on_a_busy_machine_hide_no_other_line(logged):
    _, stream = logged(as_json=True)
    # As kafka-python writes it, formatted already, and as mode does.
    warning_text = (
        "Task <kafka.net.selector.Task object at 0x7f> ran for 0.110s (>0.100s threshold)."
    )
    logging.getLogger("kafka.net.selector").warning(warning_text)
    logging.getLogger("mode.timers").warning("Timer %s is overlapping (%r)", "commit", 1.2)
    assert stream.getvalue() == ""
    logging.getLogger("kafka.net.selector").error("the broker is away")
    logging.getLogger("mode.timers").warning("Timer %s woke up too late", "commit")
    names = [json.loads(line)["name"] for line in stream.getvalue().splitlines()]
    assert names == ["kafka.net.selector", "mode.timers"]


def test_a_repeated_library_warning_is_logged_occasionally_with_its_count(logged):
    clock = ManualClock()
    _, stream = logged(as_json=True, clock=clock)
    client = logging.getLogger("aiokafka.consumer.group_coordinator")
    for number in range(20):
        client.error("Request to node %s failed: NodeNotReadyError", number)
    client.error("Request timed out")
    clock.advance(31)
    client.error("Request to node %s failed: NodeNotReadyError", 99)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(each["said"][:14], each.get("repeated")) for each in lines] == [
        ("Request to nod", None), ("Request timed ", None), ("Request to nod", 19),
    ]  # fmt: skip
