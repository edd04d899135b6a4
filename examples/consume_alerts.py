"""Print every alert as a JSON line: a consumer of alerts.v1 to begin with.

    pip install 'openlfr[city]'
    python examples/consume_alerts.py --bootstrap localhost:9092 --group my-console

It only reads, in a consumer group of its own, and says each event once while it runs.
docs/topics.md says what stands on the topic. The keys are those of the JSON lines of `openlfr run`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import OrderedDict
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from openlfr.domain.errors import BadInput
from openlfr.wire import codec
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from openlfr.domain.alerts import AlertEvent

TOPIC, SCHEMA = "alerts.v1", "openlfr.wire.v1.Alert"


class Seen:
    """The last ids that passed. The topic is at least once: a record can come again.

    They are forgotten when this ends. Where each event must have its effect only once for ever,
    keep the id where you keep the effect, in one transaction.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._most = most

    def is_new(self, event_id: str) -> bool:
        """Whether it passes for the first time."""
        if event_id in self._ids:
            return False
        self._ids[event_id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True


def lines(records: Iterable[Any], seen: Seen) -> Iterator[str]:
    """A JSON line for each new event; what cannot be read is told on stderr and left."""
    for record in records:
        try:
            read_headers(record.headers, expect=SCHEMA)
            event, emitted_at, _ = codec.decode_alert(record.value)
        except BadInput as error:
            place = f"{record.topic}, partition {record.partition}, offset {record.offset}"
            print(f"left out: {place}: {error}", file=sys.stderr)
            continue
        if seen.is_new(event.event_id):
            yield json.dumps(as_json(event, emitted_at), ensure_ascii=False)


def as_json(event: AlertEvent, emitted_at: datetime) -> dict[str, object]:
    """An event as `openlfr run` prints it; `impossible` only where it is flagged."""
    sighting = event.sighting
    flag = {"impossible": asdict(event.impossible)} if event.impossible is not None else {}
    return {
        "event": str(event.event),
        "event_id": event.event_id,
        "alert_id": event.alert_id,
        "subject": sighting.subject,
        "camera": sighting.camera,
        "frame_index": sighting.seq,
        "captured_at": utc(sighting.captured_at),
        "emitted_at": utc(emitted_at),
        "box": [round(value, 1) for value in sighting.box],
        "score": round(sighting.score, 4),
        "threshold": round(sighting.threshold, 4),
        "quality": round(sighting.quality, 1),
        "time_assumed": sighting.time_assumed,
    } | flag


def utc(moment: datetime) -> str:
    """ISO 8601 with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def consume(consumer: Any, seen: Seen) -> NoReturn:
    """Print until it is interrupted; what is printed is committed, so that a restart goes on."""
    while True:
        fetched = consumer.poll(timeout_ms=500)
        for records in fetched.values():
            for line in lines(records, seen):
                print(line, flush=True)
        if fetched:
            consumer.commit()


def main(words: Sequence[str] | None = None) -> int:
    """Connect and print."""
    parser = argparse.ArgumentParser(description="Print every alert as a JSON line.")
    parser.add_argument("--bootstrap", default="localhost:9092", metavar="HOST:PORT")
    parser.add_argument("--group", required=True, help="a consumer group of your own")
    parser.add_argument(
        "--from-beginning", action="store_true", help="a new group begins with what is kept"
    )
    asked = parser.parse_args(words)
    import kafka

    consumer = kafka.KafkaConsumer(
        TOPIC,
        bootstrap_servers=asked.bootstrap.split(","),
        group_id=asked.group,
        client_id="consume-alerts",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        auto_offset_reset="earliest" if asked.from_beginning else "latest",
    )
    try:
        consume(consumer, Seen())
    except KeyboardInterrupt:
        return 0
    finally:
        consumer.close()


if __name__ == "__main__":
    sys.exit(main())
