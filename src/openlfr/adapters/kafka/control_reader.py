"""A reader of control.v1, from the first to the newest record, without a consumer group.

A thread reads the complete compacted topic and then each new record. It passes the messages to
followers (`control_followers`).

Nobody is searched on outdated authority. Without a heartbeat for `SILENCE` (the alerting service is
down, Kafka does not answer, or this thread has died), `check` raises and the caller must stop
searching.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from openlfr.adapters.kafka.reachable import await_listener
from openlfr.adapters.kafka.topics import CONTROL
from openlfr.domain.control import Heartbeat
from openlfr.domain.errors import BadInput, OpenLFRError, Unavailable
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.adapters.kafka.control_followers import ControlFollower

SILENCE = timedelta(seconds=30)
START_WAIT = timedelta(seconds=60)
_POLL_MS = 200
_RETRY_S = 1.0
_CONNECT_TIMEOUT_S = 2.0
_REMEDY = (
    "check that `openlfr service alerting`, which writes the topic, runs, reaches Kafka and has "
    "the same vault.key"
)
HEARTBEAT = codec.HEARTBEAT_KEY.decode()
_NOT_READ = "The topic has not been read completely yet."

log = structlog.get_logger()


class ControlReader:
    """A thread that reads the control topic and passes its messages to followers.

    Attributes:
        counts: Number of `heartbeats`, of `unreadable` (also forged) records, and of `skipped`
            records, which no follower accepts. The counts of the followers are included.
    """

    def __init__(
        self,
        brokers: KafkaAccess,
        *,
        key: bytes,
        followers: Sequence[ControlFollower],
        silence: timedelta = SILENCE,
        topic: str = CONTROL.name,
    ) -> None:
        """Create a reader; `start` begins to read.

        Args:
            brokers: Address and credentials of Kafka.
            key: The topic's key. A record without a signature by this key is not valid.
            followers: Consumers of the messages, called from the reader's thread. The thread reads
                nothing during a call.
            silence: Maximum time without a heartbeat.
            topic: Name of a topic with one partition, since the order of records matters.

        Raises:
            Misconfigured: A certificate or key cannot be read.
        """
        self._kafka = brokers
        self._key = key
        self._access = brokers.client_arguments()
        self._partition = TopicPartition(topic, 0)
        self._followers = tuple(followers)
        self._silence_s = silence.total_seconds()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control-reader", daemon=True)
        # Monotonic times. A change that cannot be applied counts as not received.
        self._heartbeat_at = self._in_use_at = float("-inf")
        self._created_at = time.monotonic()
        self._read_problem = ""  # the reason why nothing is read
        self._use_problem = _NOT_READ  # the reason why the records are not in use
        self._own_error: Exception | None = None  # the error that ended the thread
        self._is_reachable = False  # whether the topic could be opened
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """Number of records by outcome."""
        return sum((each.counts for each in self._followers), self._counts.copy())

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def wait_until_ready(self, timeout: timedelta = START_WAIT) -> None:
        """Wait until all records are in use and a heartbeat has arrived.

        Raises:
            Unavailable: The reader is not ready within `timeout`, and is closed; the message states
                the reason.
            Exception: The error that ended the thread, which is our own bug.
        """
        if not self._ready.wait(timeout.total_seconds()):
            self.close()
            raise Unavailable(self._describe_missing(timeout))
        self.raise_own_error()

    def check(self) -> None:
        """Raise if nobody may be searched any more.

        Raises:
            Unavailable: The last heartbeat, or the last successful use of all changes, is older
                than `silence`.
            Exception: The error that ended the thread, which is our own bug.
        """
        self.raise_own_error()
        now = time.monotonic()
        silence = f"{self._silence_s:g} s"
        if now - self._heartbeat_at > self._silence_s:
            why = f" ({self._read_problem})" if self._read_problem else ""
            since = "yet" if self._heartbeat_at == float("-inf") else f"for {silence}"
            raise Unavailable(
                f"No heartbeat has arrived on {self._partition.topic} {since}{why}, so matching"
                f" stops: {_REMEDY}."
            )
        if now - self._in_use_at > self._silence_s:
            raise Unavailable(
                f"The changes on {self._partition.topic} could not be used for {silence}, so "
                f"matching stops: {self._use_problem}"
            )

    def raise_own_error(self) -> None:
        """Raise the error that ended the thread; do nothing while the thread runs."""
        if self._own_error is not None:
            raise self._own_error

    def search_problem(self) -> str:
        """Return the reason why nobody may be searched; empty while searching is permitted."""
        try:
            self.check()
        except OpenLFRError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - the thread's own error, raised by `check`
            return f"{self._partition.topic} is not read: {type(error).__name__}: {error}"
        return ""

    @property
    def silent_s(self) -> float:
        """Seconds since the last heartbeat or, before the first, since the reader's creation."""
        return time.monotonic() - max(self._heartbeat_at, self._created_at)

    def close(self) -> None:
        """Stop reading; safe to call twice."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _describe_missing(self, timeout: timedelta) -> str:
        seconds, topic = f"{timeout.total_seconds():g} s", self._partition.topic
        if not self._is_reachable:
            return f"Kafka did not serve {topic} within {seconds}: {self._read_problem}"
        if not self._is_fresh():
            return f"No heartbeat has arrived on {topic} within {seconds}: {_REMEDY}."
        return f"The changes on {topic} could not be used within {seconds}: {self._use_problem}"

    def _run(self) -> None:
        """Read until `close`, and try again after each failure; `check` limits the time."""
        while not self._stop.is_set():
            try:
                self._follow()
            except OpenLFRError as error:
                self._record_problem(str(error))
            except (KafkaError, OSError) as error:
                self._record_problem(f"{type(error).__name__}: {error}")
            except Exception as error:
                log.exception("control_reader_failed")
                self._read_problem = f"{type(error).__name__}: {error}"
                if self._own_error is not None:  # `check` raises it, and another try cannot help
                    self._ready.set()
                    return
            self._stop.wait(_RETRY_S)

    def _record_problem(self, why: str) -> None:
        """Store the reason why nothing is read, and log it once."""
        if why != self._read_problem:
            self._read_problem = why
            log.warning("control_not_read", topic=self._partition.topic, why=why)

    def _follow(self) -> None:
        """Read the topic from its beginning; the state in use remains until the end is reached."""
        await_listener(self._kafka, time.monotonic() + _CONNECT_TIMEOUT_S)
        consumer = KafkaConsumer(
            **self._access,
            client_id="openlfr-control-reader",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",  # if the topic was created again, read it from its beginning
            reconnect_backoff_max_ms=2000,
        )
        try:
            consumer.assign([self._partition])
            end = consumer.end_offsets([self._partition])[self._partition]
            consumer.seek(
                self._partition, consumer.beginning_offsets([self._partition])[self._partition]
            )
            for follower in self._followers:
                follower.reset()
            self._is_reachable, self._read_problem = True, ""
            is_complete = False
            while not self._stop.is_set():
                records = consumer.poll(timeout_ms=_POLL_MS).get(self._partition, ())
                is_complete = is_complete or consumer.position(self._partition) >= end
                with self._own_errors():
                    for record in records:
                        self._apply(record, is_new=record.offset >= end)
                    if is_complete and self._put_in_use():
                        self._record_use()
        finally:
            consumer.close()

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        """Mark exceptions in this block as our own bugs, not as failures of Kafka."""
        try:
            yield
        except OpenLFRError:
            raise
        except Exception as error:
            self._own_error = error
            raise

    def _apply(self, record: Any, *, is_new: bool) -> None:
        """Pass a record to the followers that accept its key.

        Args:
            record: A record of kafka-python.
            is_new: Whether the record was written after reading began. Earlier records have an
                unknown age, so a heartbeat among those records proves nothing.
        """
        key = (record.key or b"").decode("utf-8", "replace")
        followers = [each for each in self._followers if each.accepts(key)]
        if not followers and key != HEARTBEAT:
            self._counts["skipped"] += 1
            return
        try:
            seal.verify(record.headers, record.key, record.value, self._key)
            message = codec.decode_control(record.key, record.value)
        except BadInput as error:
            self._counts["unreadable"] += 1
            place = f"{record.topic}/{record.partition}/{record.offset}"
            log.warning("set_aside", place=place, why=str(error))
            for each in followers:
                each.on_invalid(key)
            return
        if isinstance(message, Heartbeat):
            self._counts["heartbeats"] += is_new
            self._heartbeat_at = time.monotonic() if is_new else self._heartbeat_at
            return
        for each in followers:
            each.apply(message)

    def _put_in_use(self) -> bool:
        """Call every follower's `put_in_use`; return whether all succeeded."""
        is_complete = True
        for each in self._followers:
            try:
                each.put_in_use()
            except OpenLFRError as error:
                self._use_problem, is_complete = str(error), False
        return is_complete

    def _record_use(self) -> None:
        self._in_use_at = time.monotonic()
        if self._is_fresh():
            self._ready.set()

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._heartbeat_at <= self._silence_s
