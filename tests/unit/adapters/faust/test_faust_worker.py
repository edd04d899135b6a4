"""A worker's exit code shows whether a retry can help, and its log names the cause."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from awaiting import PATIENCE_S

ENDS = """
from openlfr.observability import configure_logging
from openlfr.adapters.faust.worker import exit_on_error
configure_logging(as_json=True)
try:
    {raises}
except Exception as error:
    exit_on_error(error)
"""


@pytest.mark.parametrize(
    ("raises", "code", "traceback"),
    [
        ("from openlfr.domain.errors import Unavailable; raise Unavailable('Away.')", 3, False),
        ("from aiokafka.errors import KafkaConnectionError; raise KafkaConnectionError()", 3, True),
        ("raise ConnectionRefusedError('no')", 3, True),
        ("{}['reference_id']", 1, True),
        ("None.reference_id", 1, True),
    ],
)
def test_the_cause_of_a_worker_s_end_is_reported(raises, code, traceback):
    ended = subprocess.run(
        [sys.executable, "-c", ENDS.format(raises=raises)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert ended.returncode == code
    line = json.loads(ended.stderr.splitlines()[-1])
    assert line["event"] == "ended"
    assert ("Traceback" in line.get("exception", "")) == traceback
