"""SIGTERM in an idle process, and in a process with its own handler."""

from __future__ import annotations

import signal
import subprocess
import sys

SCRIPT = """\
import signal, sys, time
from openlfr.sigterm import exit_at_sigterm, disable_early_exit
exit_at_sigterm(7)
{taking_over}
print("ready", flush=True)
end = time.monotonic() + 60
while not asked and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.5)
print("whole")
sys.exit(3)
"""
TAKING_OVER = """\
disable_early_exit()
asked = []
before = signal.getsignal(signal.SIGTERM)
def once(*_):
    signal.signal(signal.SIGTERM, before)  # a second one ends the process as before
    asked.append(1)
signal.signal(signal.SIGTERM, once)
"""


def ended(script: str) -> tuple[int, str]:
    """How a process of this script ends that is sent SIGTERM once it is ready."""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_an_idle_process_ends_at_once():
    assert ended(SCRIPT.format(taking_over="asked = []")) == (7, "")


def test_active_work_is_ended_in_order_by_the_installed_handler():
    assert ended(SCRIPT.format(taking_over=TAKING_OVER)) == (3, "whole\n")


def test_a_second_signal_ends_the_process_at_once():
    again = TAKING_OVER + "signal.raise_signal(signal.SIGTERM)\n"
    assert ended(SCRIPT.format(taking_over=again)) == (7, "")
