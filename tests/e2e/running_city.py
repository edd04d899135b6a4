"""The services as processes over one place, and a consumer of their alerts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, TopicPartition

from awaiting import PATIENCE_S, await_that

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from small_street import Place

CONSUMER = Path(__file__).resolve().parents[2] / "examples/consume_alerts.py"
READS = {"analysis": ["frames.v1"], "alerting": ["sightings.v1", "alerts.v1", "tallies.v1"]}
UNAVAILABLE, MAX_RESTARTS = 3, 30
"""Exit code of a service that gave up, and maximum number of such exits of all services: analysis
gives up after 30 s without a heartbeat of alerting, which may start more slowly."""
ANALYSIS = """
import sys
from openlfr.cli import main
from openlfr_analysis import frame_batches
frame_batches.SILENCE_LOSSLESS_S = 90.0  # no track ends because its frames are late
sys.exit(main(sys.argv[1:]))
"""


class Process:
    """A process with its output in a file."""

    def __init__(self, folder: Path, name: str, *command: object, **environment: str) -> None:
        self.output = folder / f"{name}.txt"
        self.errors = folder / f"{name}-errors.txt"
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, *map(str, command)],
                cwd=folder, stdout=output, stderr=errors, env={**os.environ, **environment},
            )  # fmt: skip

    def lines(self) -> list[dict[str, Any]]:
        """Return the JSON lines printed so far."""
        whole, _, _ = self.output.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def read_output(self) -> str:
        return self.output.read_text(encoding="utf-8") + self.errors.read_text(encoding="utf-8")


class City:
    """The three services over one place, and a consumer of their alerts."""

    def __init__(self, place: Place, broker: str) -> None:
        self.place, self.broker = place, broker
        self.running: dict[str, Process] = {}
        self._started = 0
        self._given_up: list[str] = []  # outputs of services that gave up waiting for another
        self._config: dict[str, Path] = {}
        self._service("alerting")
        self._service("analysis")
        self.running["consumer"] = Process(
            place.folder, "consumer",
            CONSUMER, "--bootstrap", broker, "--group", place.folder.name, "--from-beginning",
        )  # fmt: skip

    def film(self, *cameras: str, as_filmed: bool = False) -> Process:
        """Start to film cameras under epoch 1, as fast as possible unless `as_filmed`."""
        words = [word for camera in cameras for word in ("--camera", camera)]
        fast = [] if as_filmed else ["--as-fast-as-possible"]
        return self._service("ingest", *words, "--epoch", 1, *fast)

    def filmed(self, filming: Process) -> list[str]:
        """Return ingest's output at the end of its films, a line for each camera."""
        assert filming.popen.wait(PATIENCE_S) == 0, filming.read_output()
        return sorted(filming.output.read_text().splitlines())

    def kill(self, *names: str) -> None:
        """`kill -9`, and start again."""
        for name in names:
            self.running[name].popen.kill()
            self.running[name].popen.wait()
        for name in names:
            self._service(name, config=self._config[name])

    def rest(self, *names: str) -> None:
        """Wait until services have acknowledged all their messages."""
        for name in names:
            consumer = KafkaConsumer(bootstrap_servers=self.broker, group_id=self._group(name))
            with closing(consumer):
                self.wait_for(f"rest for {name}", lambda: self._is_idle(name, consumer))  # noqa: B023

    def end(self, name: str) -> None:
        """End every replica of a service as an orchestrator does."""
        replicas = [each for each in self.running if each.partition("-")[0] == name]
        for each in replicas:
            self.wait_for(f"{each} at work", partial(self._is_at_work, each))
            self.running[each].popen.terminate()
        for each in replicas:
            assert self.running[each].popen.wait(PATIENCE_S) == 0, self.running[each].read_output()
            del self.running[each]

    def start(self, name: str) -> None:
        """Start a replica that is not running, such as alerting-1."""
        self._service(name)

    def search(self, index: str) -> None:
        """Let analysis search by `snapshot` or on `milvus` from now on."""
        config = self.place.config
        if index != "snapshot":
            config = config.with_name(f"{index}.yaml")
            config.write_text(self.place.config.read_text() + f"matching: {{index: {index}}}\n")
        if self._config["analysis"] != config:
            self.end("analysis")
            self._service("analysis", config=config)

    def alerts(self, *cameras: str) -> list[dict[str, Any]]:
        """Return the consumer's output so far of these cameras."""
        return [line for line in self.running["consumer"].lines() if line["camera"] in cameras]

    def wait_for_alerts(self, number: int, *cameras: str) -> list[dict[str, Any]]:
        """Wait for this many alert lines of these cameras, and return them."""
        what = f"{number} lines of {', '.join(cameras)}"
        self.wait_for(what, lambda: len(self.alerts(*cameras)) >= number)
        return self.alerts(*cameras)

    def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until a condition is true; a failing service fails the test at once."""

        def holds() -> bool:
            for name in [each for each in self.running if each != "ingest"]:
                self._look_after(name)
            return condition()

        await_that(what, holds, seen=lambda: self._story("so far:"))

    def _look_after(self, name: str) -> None:
        """Restart a service that gave up waiting for another one, as an orchestrator does."""
        process = self.running[name]
        code = process.popen.poll()
        if code == UNAVAILABLE and len(self._given_up) < MAX_RESTARTS:
            self._given_up.append(f"{name} gave up: {process.read_output()}")
            self._service(name, config=self._config[name])
        else:
            assert code is None, self._story(f"{name} ended with {code}")

    def _story(self, what: str) -> str:
        """Return the observations for the message of a failure."""
        now = [f"{name} at the end: {each.read_output()}" for name, each in self.running.items()]
        return "\n".join((what, *self._given_up, *now))

    def close(self) -> None:
        for process in self.running.values():
            if process.popen.poll() is None:
                process.popen.kill()
            process.popen.wait()

    def _is_idle(self, name: str, consumer: KafkaConsumer) -> bool:
        """Return whether a service is ready and has acknowledged all its messages."""
        if not self._is_at_work(name):
            return False
        parts = [
            TopicPartition(topic, part)
            for topic in READS[name]
            for part in consumer.partitions_for_topic(topic)
        ]
        ends = consumer.end_offsets(parts)
        return all((consumer.committed(part) or 0) >= end for part, end in ends.items())

    def _is_at_work(self, name: str) -> bool:
        return '"ready"' in self.running[name].read_output()

    def _group(self, name: str) -> str:
        return f"{name}-{self.place.folder.name}"

    def _service(self, name: str, *words: object, config: Path | None = None) -> Process:
        """Start a service, or by a name such as alerting-1 a further replica of it."""
        service, _, number = name.partition("-")
        self._started += 1
        self._config[name] = config or self.place.config
        program = ["-c", ANALYSIS] if service == "analysis" else ["-m", "openlfr"]
        process = Process(
            self.place.folder, f"{name}-{self._started}",
            *program, "service", service, "--config", self._config[name], *words,
            OPENLFR_INSTANCE_ID=f"{service}-{number or 0}", OPENLFR_GROUP=self._group(service),
        )  # fmt: skip
        self.running[name] = process
        return process


def seen(lines: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the parts of alert lines that must not depend on the place of analysis."""
    keys = ("event", "event_id", "alert_id", "subject", "camera", "frame_index", "captured_at")
    return sorted((*(line[key] for key in keys), *line["box"]) for line in lines)
