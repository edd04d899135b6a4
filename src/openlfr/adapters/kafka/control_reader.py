"""Reading control.v1 from its beginning to its newest record, without a consumer group.

A thread reads the compacted topic whole, then follows it, and passes its messages to followers
(`control_followers`). Nobody is searched on stale authority: where no heartbeat has come for
`SILENCE` (the alerting service is down, Kafka does not answer, this thread died), `check` raises
and the caller must stop searching.
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
_REACH_S = 2.0
_REMEDY = (
    "see that `openlfr service alerting`, which writes there, runs and reaches Kafka, and has the "
    "same vault.key"
)
HEARTBEAT = codec.HEARTBEAT_KEY.decode()
_NOT_READ = "The topic was not read whole yet."

log = structlog.get_logger()


class ControlReader:
    """Follows the control topic in a thread of its own.

    Attributes:
        counts: Number of `heartbeats`, of `unreadable` records (forged ones too) and of `skipped`
            records, which no follower accepts; and the counts of the followers.
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
        """Prepare; `start` begins to read.

        Args:
            brokers: Address and credentials of Kafka.
            key: The topic's key. A record that is not signed with it is not trusted.
            followers: Consumers of the messages. They are called from the reader's thread, which
                reads nothing while they work.
            silence: The longest time without a heartbeat.
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
        self._read_problem = ""  # why nothing is read
        self._use_problem = _NOT_READ  # why the records read are not in use
        self._own_error: Exception | None = None  # the error that ended the thread
        self._is_reachable = False  # whether the topic could be opened
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """Number of records by what became of them."""
        return sum((each.counts for each in self._followers), self._counts.copy())

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def wait(self, wait: timedelta = START_WAIT) -> None:
        """Return once every record read is in use and a heartbeat has come.

        Raises:
            Unavailable: Not within `wait`; the message states what is missing.
        """
        if not self._ready.wait(wait.total_seconds()):
            self.close()
            raise Unavailable(self._why_not_ready(wait))
        self.raise_fault()

    def check(self) -> None:
        """Raise where nobody may be searched any more.

        Raises:
            Unavailable: No heartbeat has come for too long, or a change could not be put in use.
            Exception: The error that ended the thread, a bug of our own, as it was raised.
        """
        self.raise_fault()
        now = time.monotonic()
        silent = f"{self._silence_s:g} s"
        if now - self._heartbeat_at > self._silence_s:
            why = f" ({self._read_problem})" if self._read_problem else ""
            since = "yet" if self._heartbeat_at == float("-inf") else f"for {silent}"
            raise Unavailable(
                f"No heartbeat has come on {self._partition.topic} {since}{why}, so matching stops:"
                f" {_REMEDY}."
            )
        if now - self._in_use_at > self._silence_s:
            raise Unavailable(
                f"The changes on {self._partition.topic} could not be used for {silent}, so "
                f"matching stops: {self._use_problem}"
            )

    def raise_fault(self) -> None:
        """Raise the error of our own that ended the thread; do nothing while it lives."""
        if self._own_error is not None:
            raise self._own_error

    def trouble(self) -> str:
        """Why nobody may be searched; empty while searching is allowed."""
        try:
            self.check()
        except OpenLFRError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - the thread's own error, raised by `check`
            return f"{self._partition.topic} is not read: {type(error).__name__}: {error}"
        return ""

    @property
    def silent_s(self) -> float:
        """Seconds since the last heartbeat; before the first, since this reader was created."""
        return time.monotonic() - max(self._heartbeat_at, self._created_at)

    def close(self) -> None:
        """Stop reading; safe to call twice."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _why_not_ready(self, wait: timedelta) -> str:
        seconds, topic = f"{wait.total_seconds():g} s", self._partition.topic
        if not self._is_reachable:
            return f"Kafka did not serve {topic} within {seconds}: {self._read_problem}"
        if not self._is_fresh():
            return f"No heartbeat has come on {topic} within {seconds}: {_REMEDY}."
        return f"The changes on {topic} could not be used within {seconds}: {self._use_problem}"

    def _run(self) -> None:
        """The thread: try again after every failure; `check` raises when that lasts too long."""
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
                if self._own_error is not None:  # raised by `check`; another try cannot help
                    self._ready.set()
                    return
            self._stop.wait(_RETRY_S)

    def _record_problem(self, why: str) -> None:
        """Keep the reason why nothing is read, and log it once."""
        if why != self._read_problem:
            self._read_problem = why
            log.warning("control_not_read", topic=self._partition.topic, why=why)

    def _follow(self) -> None:
        """Read from the beginning, then follow; the state in use stays until all is read."""
        await_listener(self._kafka, time.monotonic() + _REACH_S)
        consumer = KafkaConsumer(
            **self._access,
            client_id="openlfr-control-reader",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",  # a topic that was created again is read from the beginning
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
            is_whole = False
            while not self._stop.is_set():
                records = consumer.poll(timeout_ms=_POLL_MS).get(self._partition, ())
                is_whole = is_whole or consumer.position(self._partition) >= end
                with self._own_errors():
                    for record in records:
                        self._apply(record, is_new=record.offset >= end)
                    if is_whole and self._put_in_use():
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
            is_new: Whether it came after reading began. The age of older records is unknown, so
                a heartbeat among them proves nothing.
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
        """Call every follower's `put_in_use`; whether everything is in use now."""
        is_whole = True
        for each in self._followers:
            try:
                each.put_in_use()
            except OpenLFRError as error:
                self._use_problem, is_whole = str(error), False
        return is_whole

    def _record_use(self) -> None:
        self._in_use_at = time.monotonic()
        if self._is_fresh():
            self._ready.set()

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._heartbeat_at <= self._silence_s
