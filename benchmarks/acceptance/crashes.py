"""kill -9 at random moments, then `--resume`: no alert lost, none doubled.

One run goes through undisturbed. Then, in each round, the same street is watched from a fresh
data folder by a process that is killed again and again at random moments and resumed until it
ends. The events must be the same, each once: same camera, frame, subject and kind. Ids differ
between data folders, since each folder has a key of its own, and may not repeat within one.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from benchmarks.acceptance.findings import OPENLFR, Bench, Check, Findings
from benchmarks.acceptance.streets import EASY, prepare, street

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 6
ROUNDS = 4
KILLS = 5


def watch(config: Path, alerts: Path, *words: str, kill_after: float | None = None) -> int:
    """Run, killed after some seconds where asked; returns the exit code."""
    command = [OPENLFR, "run", config, "--alerts", alerts, "--as-fast-as-possible", "--quiet"]
    process = subprocess.Popen(
        [*command, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        process.communicate(timeout=kill_after or 900)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines; the last one may have been cut by the kill."""
    for line in path.read_text().splitlines() if path.is_file() else ():
        yield json.loads(line)


def events_in(path: Path) -> list[tuple[str, int, str, str]]:
    """Camera, frame, subject and kind of each event of an alert file."""
    return [
        (each["camera"], each["frame_index"], each["subject"], each["event"])
        for each in lines(path)
    ]


def crashes(bench: Bench) -> Findings:
    """Kill and resume, and compare with the undisturbed run."""
    made = street(bench, EASY, SEED)
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    camera = {"input_size": list(EASY.input_size), "start": now}
    folder = bench.work / "crashes"
    config = prepare(bench, folder / "calm", made, camera)
    started = time.monotonic()
    if watch(config, folder / "calm" / "alerts.jsonl") != 0:
        raise RuntimeError("the undisturbed run failed")
    whole = time.monotonic() - started
    calm = events_in(folder / "calm" / "alerts.jsonl")

    moments = random.Random(20261)
    lost = doubled = strange = kills = 0
    detail: list[dict[str, Any]] = []
    for number in range(ROUNDS):
        config = prepare(bench, folder / f"round{number}", made, camera)
        alerts = folder / f"round{number}" / "alerts.jsonl"
        words: tuple[str, ...] = ()
        code = -signal.SIGKILL
        for _ in range(KILLS):
            code = watch(config, alerts, *words, kill_after=moments.uniform(0.1, 0.7) * whole)
            if code != -signal.SIGKILL:
                break
            kills += 1
            words = ("--resume",)
        if code == -signal.SIGKILL:
            code = watch(config, alerts, *words)
        got = events_in(alerts)
        lost += len(set(calm) - set(got))
        doubled += len(got) - min(len(set(got)), len({each["event_id"] for each in lines(alerts)}))
        strange += len(set(got) - set(calm))
        detail.append({"round": number, "exit": code, "events": len(got)})
    where = f"{kills} kills in {ROUNDS} rounds of {len(calm)} events"
    return Findings(
        (
            Check(f"{where}: alert events lost", lost, "= 0", lost == 0),
            Check(f"{where}: alert events doubled", doubled, "= 0", doubled == 0),
            Check(f"{where}: events that the calm run does not have", strange, "= 0", strange == 0),
            Check("resumed runs that ended with 0", sum(d["exit"] == 0 for d in detail),
                  f"= {ROUNDS}", all(d["exit"] == 0 for d in detail)),
        ),
        {"rounds": detail, "calm_events": len(calm)},
    )  # fmt: skip
