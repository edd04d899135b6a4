r"""Print every alert as a JSON line: a consumer of alerts.v1 to begin with.

It needs a Kafka client and code generated from protos/, and nothing of OpenLFR:

    pip install kafka-python protobuf grpcio-tools
    mkdir -p examples/generated
    python -m grpc_tools.protoc --proto_path=protos --python_out=examples/generated \
        protos/openlfr/wire/v1/*.proto
    python examples/consume_alerts.py --bootstrap localhost:9092 --group my-console

`openlfr.wire.v1`, imported below, is the protos' package; grpcio-tools is for generating it only.
The consumer only reads, in a group of its own, and prints each event once while it runs.
docs/topics.md says what stands on the topic. The keys are those of the JSON lines of `openlfr run`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import ssl
import sys
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent / "generated"))
try:
    from google.protobuf.message import DecodeError

    from openlfr.wire.v1 import alert_pb2, impossible_pb2
except ImportError as error:
    sys.exit(f"{error}: generate the code first, as the head of {__file__} says.")

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TOPIC, SCHEMA = "alerts.v1", "openlfr.wire.v1.Alert"
# A message that lacks one of these was cut short; other fields may be absent.
REQUIRED = (
    "event_id", "alert_id", "subject", "camera", "frame_index", "captured_at", "emitted_at", "box",
    "score", "threshold", "quality",
)  # fmt: skip
UNAVAILABLE = 3


class Unreadable(Exception):
    """This record is none that we can use; the next one may be."""


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
    """A JSON line for each new event; what cannot be read is reported on stderr and left out."""
    for record in records:
        try:
            line = as_json(parse(record.headers, record.value))
        except Unreadable as error:
            place = f"{record.topic}, partition {record.partition}, offset {record.offset}"
            print(f"left out: {place}: {error}", file=sys.stderr)
            continue
        if seen.is_new(line["event_id"]):
            yield json.dumps(line, ensure_ascii=False)


def parse(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> alert_pb2.Alert:
    """A record's message.

    Raises:
        Unreadable: It is of another schema, cut short, or says what this consumer does not know.
    """
    schema = dict(headers or ()).get("schema", SCHEMA.encode())
    if schema != SCHEMA.encode():
        raise Unreadable(f"it is a {schema.decode(errors='replace')}, not a {SCHEMA}")
    try:
        alert = alert_pb2.Alert.FromString(value or b"")
    except DecodeError:
        raise Unreadable("it cannot be parsed") from None
    lacking = [name for name in REQUIRED if not alert.HasField(name)]
    if lacking:
        raise Unreadable(f"it lacks its {lacking[0]}")
    if alert.event not in (alert_pb2.Alert.EVENT_OPENED, alert_pb2.Alert.EVENT_JOINED):
        raise Unreadable(f"nobody here knows its event {alert.event}")
    return alert


def as_json(alert: alert_pb2.Alert) -> dict[str, Any]:
    """An event as `openlfr run` prints it; `impossible` only where it is flagged.

    Raises:
        Unreadable: One of its values cannot be.
    """
    box = alert.box
    line: dict[str, Any] = {
        "event": word(alert_pb2.Alert.Event, alert.event),
        "event_id": alert.event_id,
        "alert_id": alert.alert_id,
        "subject": alert.subject,
        "camera": alert.camera,
        "frame_index": alert.frame_index,
        "captured_at": utc(alert.captured_at),
        "emitted_at": utc(alert.emitted_at),
        "box": [round(side, 1) for side in (box.x, box.y, box.w, box.h)],
        "score": round(alert.score, 4),
        "threshold": round(alert.threshold, 4),
        "quality": round(alert.quality, 1),
        "time_assumed": alert.time_assumed,
    }
    flag = alert.impossible
    if flag.why in impossible_pb2.Impossible.Why.values()[1:]:
        line["impossible"] = {
            "why": word(impossible_pb2.Impossible.Why, flag.why),
            "camera": flag.camera,
            "seconds": flag.seconds,
            "metres": flag.metres,
        }
    numbers = [*line["box"], line["score"], line["threshold"], line["quality"], flag.seconds]
    if not all(map(math.isfinite, numbers)):  # JSON has no word for these
        raise Unreadable("one of its numbers is not finite")
    return line


def word(kind: Any, number: int) -> str:
    """`opened` for EVENT_OPENED."""
    name: str = kind.Name(number)
    return name.partition("_")[2].lower()


def utc(moment: Any) -> str:
    """ISO 8601 with milliseconds.

    Raises:
        Unreadable: It is no moment of the calendar.
    """
    try:
        read: datetime = moment.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Unreadable("one of its moments is none") from None
    return read.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def access(asked: argparse.Namespace) -> dict[str, Any]:
    """What kafka-python wants to know of TLS and of who we are."""
    security = ("SASL_" if asked.sasl else "") + ("SSL" if asked.tls else "PLAINTEXT")
    arguments: dict[str, Any] = {"security_protocol": security}
    if asked.tls:
        # The broker's name is checked against its certificate.
        context = ssl.create_default_context(cafile=asked.ca_file)
        if asked.cert_file:
            context.load_cert_chain(asked.cert_file, asked.key_file)
        arguments["ssl_context"] = context
    if asked.sasl:
        password = asked.password_file.read_text().partition("\n")[0].removesuffix("\r")
        if not password:
            raise OSError(f"{asked.password_file} holds no password in its first line")
        arguments |= {
            "sasl_mechanism": asked.sasl.upper(),
            "sasl_plain_username": asked.username,
            "sasl_plain_password": password,
        }
    return arguments


def consume(consumer: Any, seen: Seen, ended: Event) -> None:
    """Print until it is ended; what is printed is committed, so that a restart goes on."""
    while not ended.is_set():
        fetched = consumer.poll(timeout_ms=500)
        for records in fetched.values():
            for line in lines(records, seen):
                print(line, flush=True)
        if fetched:
            consumer.commit()


def options(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Print every alert as a JSON line.")
    parser.add_argument("--bootstrap", default="localhost:9092", metavar="HOST:PORT[,...]")
    parser.add_argument("--group", required=True, help="a consumer group of your own")
    parser.add_argument(
        "--from-beginning", action="store_true", help="a new group begins with what is kept"
    )
    parser.add_argument("--tls", action="store_true", help="encrypt; the broker must prove itself")
    parser.add_argument("--ca-file", metavar="PEM", help="authorities in place of the system's")
    parser.add_argument("--cert-file", metavar="PEM", help="a certificate of your own")
    parser.add_argument("--key-file", metavar="PEM", help="its key")
    parser.add_argument(
        "--sasl",
        choices=("plain", "scram-sha-256", "scram-sha-512"),
        help="plain sends the password as it is: with --tls, or on one machine",
    )
    parser.add_argument("--username")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="its first line is it")
    asked = parser.parse_args(words)
    if asked.sasl and not (asked.username and asked.password_file):
        parser.error("--sasl needs --username and --password-file")
    if (asked.username or asked.password_file) and not asked.sasl:
        parser.error("--username and --password-file need --sasl")
    if (asked.ca_file or asked.cert_file) and not asked.tls:
        parser.error("--ca-file and --cert-file need --tls")
    if bool(asked.cert_file) != bool(asked.key_file):
        parser.error("--cert-file and --key-file need each other")
    return asked


def main(words: Sequence[str] | None = None) -> int:
    """Connect and print."""
    asked = options(words)
    import kafka
    from kafka.errors import KafkaError

    ended = Event()
    # What is at work is printed and committed first. And the first process of a container is not
    # ended by SIGTERM at all unless it asks for it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        consumer = kafka.KafkaConsumer(
            TOPIC,
            bootstrap_servers=asked.bootstrap.split(","),
            group_id=asked.group,
            client_id="consume-alerts",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=20_000,
            auto_offset_reset="earliest" if asked.from_beginning else "latest",
            **access(asked),
        )
        try:
            consume(consumer, Seen(), ended)
            return 0
        finally:
            consumer.close()
    except BrokenPipeError:  # the reader of the lines has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KafkaError as error:
        print(f"Kafka at {asked.bootstrap}: {error}", file=sys.stderr)
        return UNAVAILABLE
    except OSError as error:
        print(f"A file cannot be used: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
