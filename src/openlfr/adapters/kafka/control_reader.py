"""Reading control.v1 from its beginning to its newest record, without a group.

A thread reads the compacted topic whole and then follows it; what it says is kept by followers
(`control_followers`). Nobody is searched on stale authority: where no sign of life has come for
`SILENCE` (the alerting service is down, Kafka does not answer, this thread died) `check` raises,
and its caller has to stop searching.
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
_MEND = (
    "see that `openlfr service alerting`, which writes there, runs and reaches Kafka, and has the "
    "same vault.key"
)
HEARTBEAT = codec.HEARTBEAT_KEY.decode()
_NOT_READ = "The topic was not read whole yet."

log = structlog.get_logger()


class ControlReader:
    """Follows the control topic in a thread of its own.

    Attributes:
        counts: heartbeats, records that were unreadable (forged ones too) and that were skipped,
            since they are for no follower; and what followers count.
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
        """Prepare; `start` reads.

        Args:
            brokers: How Kafka is reached.
            key: Of the topic; what is not signed with it may be anybody's.
            followers: Keep what is read, each what it wants. All are called from the thread, and
                nothing is read while they work.
            silence: How long no sign of life may come.
            topic: Of one partition, since its order counts.

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
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="control-reader", daemon=True)
        # By the monotonic clock; what was told and could not be used is as good as not told.
        self._heard = self._in_use = float("-inf")
        self._made = time.monotonic()
        self._trouble = ""  # why nothing is read
        self._unused = _NOT_READ  # why what was read is not used
        self._fault: Exception | None = None  # ended the thread
        self._found = False  # whether the topic could be looked at
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """Records by what became of them."""
        return sum((each.counts for each in self._followers), self._counts.copy())

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def wait(self, wait: timedelta = START_WAIT) -> None:
        """Return when all that was read is in use and a sign of life has come since.

        Raises:
            Unavailable: That did not come within `wait`; the sentence says what lacks.
        """
        if not self._begun.wait(wait.total_seconds()):
            self.close()
            raise Unavailable(self._what_lacks(wait))
        self.raise_fault()

    def check(self) -> None:
        """Raise where nobody may be searched any more.

        Raises:
            Unavailable: No sign of life has come for too long, or a change could not be used.
            Exception: What ended the thread, as it was raised there: a fault of ours.
        """
        self.raise_fault()
        now = time.monotonic()
        silent = f"{self._silence_s:g} s"
        if now - self._heard > self._silence_s:
            why = f" ({self._trouble})" if self._trouble else ""
            since = "yet" if self._heard == float("-inf") else f"for {silent}"
            raise Unavailable(
                f"Nothing on {self._partition.topic} has said {since} that the records are "
                f"read{why}, so matching stops: {_MEND}."
            )
        if now - self._in_use > self._silence_s:
            raise Unavailable(
                f"What {self._partition.topic} says could not be used for {silent}, so matching "
                f"stops: {self._unused}"
            )

    def raise_fault(self) -> None:
        """Raise what ended the thread, a fault of ours; nothing while it lives."""
        if self._fault is not None:
            raise self._fault

    def trouble(self) -> str:
        """Why nobody may be searched; empty where somebody may."""
        try:
            self.check()
        except OpenLFRError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - what `check` raises of the thread
            return f"{self._partition.topic} is not read: {type(error).__name__}: {error}"
        return ""

    @property
    def silent_s(self) -> float:
        """Seconds since the last sign of life; before the first, since this was made."""
        return time.monotonic() - max(self._heard, self._made)

    def close(self) -> None:
        """Stop reading; safe to call twice."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _what_lacks(self, wait: timedelta) -> str:
        seconds = f"{wait.total_seconds():g} s"
        if not self._found:
            return f"Kafka did not serve {self._partition.topic} within {seconds}: {self._trouble}"
        if not self._is_fresh():
            return (
                f"Nothing on {self._partition.topic} has said within {seconds} that the records "
                f"are read: {_MEND}."
            )
        return (
            f"What {self._partition.topic} says could not be used within {seconds}: {self._unused}"
        )

    def _keep(self) -> None:
        """The thread: whatever fails is tried again; `check` tells when that lasts too long."""
        while not self._stop.is_set():
            try:
                self._follow()
            except OpenLFRError as error:
                self._note_trouble(str(error))
            except (KafkaError, OSError) as error:
                self._note_trouble(f"{type(error).__name__}: {error}")
            except Exception as error:
                log.exception("control_reader_failed")
                self._trouble = f"{type(error).__name__}: {error}"
                if self._fault is not None:  # `check` raises it; waiting does not mend it
                    self._begun.set()
                    return
            self._stop.wait(_RETRY_S)

    def _note_trouble(self, why: str) -> None:
        """Keep why nothing is read, and log it once."""
        if why != self._trouble:
            self._trouble = why
            log.warning("control_not_read", topic=self._partition.topic, why=why)

    def _follow(self) -> None:
        """Read from the beginning; what is in use stays until that is done."""
        await_listener(self._kafka, time.monotonic() + _REACH_S)
        consumer = KafkaConsumer(
            **self._access,
            client_id="openlfr-control-reader",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",  # a topic that was made anew is read anew
            reconnect_backoff_max_ms=2000,
        )
        try:
            consumer.assign([self._partition])
            end = consumer.end_offsets([self._partition])[self._partition]
            consumer.seek(
                self._partition, consumer.beginning_offsets([self._partition])[self._partition]
            )
            for follower in self._followers:
                follower.begin()
            self._found, self._trouble = True, ""
            whole = False
            while not self._stop.is_set():
                records = consumer.poll(timeout_ms=_POLL_MS).get(self._partition, ())
                whole = whole or consumer.position(self._partition) >= end
                with self._not_the_client():
                    for record in records:
                        self._take(record, news=record.offset >= end)
                    if whole and self._put_in_use():
                        self._note_use()
        finally:
            consumer.close()

    @contextmanager
    def _not_the_client(self) -> Iterator[None]:
        """Whatever is raised in here is a fault of ours, and no trouble with the brokers."""
        try:
            yield
        except OpenLFRError:
            raise
        except Exception as error:
            self._fault = error
            raise

    def _take(self, record: Any, *, news: bool) -> None:
        """Give a record to the followers that want it.

        Args:
            record: Of kafka-python.
            news: It came after we began to read: of what stood there nobody knows how old it is.
        """
        key = (record.key or b"").decode("utf-8", "replace")
        wanted = [each for each in self._followers if each.wants(key)]
        if not wanted and key != HEARTBEAT:
            self._counts["skipped"] += 1
            return
        try:
            seal.verify(record.headers, record.key, record.value, self._key)
            message = codec.decode_control(record.key, record.value)
        except BadInput as error:
            self._counts["unreadable"] += 1
            place = f"{record.topic}/{record.partition}/{record.offset}"
            log.warning("set_aside", place=place, why=str(error))
            for each in wanted:
                each.refuse(key)
            return
        if isinstance(message, Heartbeat):
            self._counts["heartbeats"] += news
            self._heard = time.monotonic() if news else self._heard
            return
        for each in wanted:
            each.take(message)

    def _put_in_use(self) -> bool:
        """Let each follower use what it keeps; whether all of it is in use now."""
        whole = True
        for each in self._followers:
            try:
                each.use()
            except OpenLFRError as error:
                self._unused, whole = str(error), False
        return whole

    def _note_use(self) -> None:
        self._in_use = time.monotonic()
        if self._is_fresh():
            self._begun.set()

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._heard <= self._silence_s
