"""Kafka's topics as they are, beside what they must be: `openlfr topics apply|check`."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from openlfr.adapters.kafka.reachable import await_listener
from openlfr.adapters.kafka.topics import CHECK_INTERVAL, FRAMES, transit_bound
from openlfr.domain.errors import Misconfigured, OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.adapters.kafka.topics import Topic, TransitBound

_LET_LOOK = " let this user see it (DescribeConfigs on the cluster),"
_PATIENCE = 25  # looks, 0.2 s apart: a change takes a moment until every broker tells of it


class Difference(NamedTuple):
    """One thing that is not as it must be.

    Attributes:
        line: What a person reads.
        topic: Its name.
        setting: The Kafka setting, or "missing", "partitions", "replicas", "rights" or "transit".
        mended_by_apply: Whether `apply` can put it right.
    """

    line: str
    topic: str
    setting: str
    mended_by_apply: bool


class KafkaTopics:
    """The topics of a Kafka cluster."""

    def __init__(self, admin: Any, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Take a `kafka.KafkaAdminClient`, or what answers like one."""
        self._admin = admin
        self._pause = pause

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()

    def differences(
        self, wanted: Sequence[Topic], *, transit: timedelta | None = None
    ) -> list[Difference]:
        """Everything that is not as `wanted`, in its order.

        Args:
            wanted: The topics to look at. The user needs Describe and DescribeConfigs on these
                alone: a service has no business with the others.
            transit: How long a frame may exist; to prove it, the brokers themselves are asked,
                which takes DescribeConfigs on the cluster. None: nothing is asked of them.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: It does not let us look.
        """
        with _translated("look at its topics"):
            described = self._describe(wanted)
            shown = [name for name, each in described.items() if not each["error_code"]]
            configs = self._configs(shown)
            check = None if transit is None else self._check_interval()
        found: list[Difference] = []
        for topic in wanted:
            if topic.name not in described:
                found.append(Difference(f"{topic.name}: missing", topic.name, "missing", True))
                continue
            settings = configs.get(topic.name)
            if not settings:  # every topic has some: without the right Kafka answers with none
                found.append(_hidden(topic))
                continue
            shape = list(_shape(topic, described[topic.name]["partitions"]))
            copies_differ = any(each.setting == "replicas" for each in shape)
            found += [*shape, *_settings(topic, settings, copies_differ)]
            if topic.name == FRAMES.name and transit is not None:
                found += _transit(settings, check, transit)
        return found

    def transit(self, wanted: Sequence[Topic]) -> TransitBound:
        """How long a frame can exist as the cluster is now, or would be with `wanted`.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: It does not let us look.
        """
        frames = next(topic for topic in wanted if topic.name == FRAMES.name)
        with _translated("look at its topics"):
            configs = self._configs(list(self._describe([frames]))).get(frames.name, {})
            return transit_bound({**frames.configs, **configs}, self._check_interval())

    def apply(self, wanted: Sequence[Topic]) -> list[str]:
        """Make the topics as `wanted` as far as that can be done; what was done, a line each.

        Partitions are added and settings set; nothing is deleted, no partition taken away and no
        replica moved. What remains is for `differences` to tell.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: It refuses.
        """
        named = {topic.name: topic for topic in wanted}
        todo = [each for each in self.differences(wanted) if each.mended_by_apply]
        done: list[str] = []
        for name in dict.fromkeys(each.topic for each in todo):
            topic = named[name]
            settings = {each.setting for each in todo if each.topic == name}
            with _translated(f"make {name} as it must be", topic):
                done += self._mend(topic, settings)
        for _ in range(_PATIENCE if todo else 0):
            left = {(each.topic, each.setting) for each in self.differences(wanted)}
            if left.isdisjoint((each.topic, each.setting) for each in todo):
                break
            self._pause(0.2)
        return done

    def _mend(self, topic: Topic, settings: set[str]) -> Iterator[str]:
        if "missing" in settings:
            what = {
                "num_partitions": topic.partitions,
                "replication_factor": topic.replicas,
                "configs": dict(topic.configs),
            }
            self._admin.create_topics({topic.name: what})
            yield f"{topic.name}: created, {topic.partitions} partitions, {topic.replicas} replicas"
            return
        if "partitions" in settings:
            self._admin.create_partitions({topic.name: topic.partitions})
            yield f"{topic.name}: now {topic.partitions} partitions"
        changed = {key: value for key, value in topic.configs.items() if key in settings}
        if changed:
            resource = _resource("TOPIC", topic.name, changed)
            answer = self._admin.alter_configs([resource])["topic"][topic.name]
            if answer != "OK":
                raise Misconfigured(f"Kafka refuses the settings of {topic.name}: {answer}")
            for key, value in changed.items():
                yield f"{topic.name}: {key} is now {value}"

    def _describe(self, wanted: Sequence[Topic]) -> dict[str, dict[str, Any]]:
        """Those that exist, and those of which Kafka does not say whether they do.

        Each is asked for by its name: of all its topics Kafka lists only those that a user may
        see, so that one without the right would count as missing.
        """
        from kafka import errors

        said = self._admin.describe_topics([topic.name for topic in wanted])
        missing = errors.UnknownTopicOrPartitionError.errno
        refused = errors.TopicAuthorizationFailedError.errno
        for each in said:
            if each["error_code"] not in (0, missing, refused):
                raise errors.for_code(each["error_code"])(each["name"])
        return {each["name"]: each for each in said if each["error_code"] != missing}

    def _configs(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [_resource("TOPIC", name) for name in names]
        told = self._admin.describe_configs(resources, config_filter="all")["topic"]
        return {
            name: {key: str(config["value"]) for key, config in told.get(name, {}).items()}
            for name in names
        }

    def _check_interval(self) -> timedelta | None:
        """The longest of all brokers; None where one does not show it to this user."""
        brokers = [str(each["broker_id"]) for each in self._admin.describe_cluster()["brokers"]]
        resources = [_resource("BROKER", broker) for broker in brokers]
        told = self._admin.describe_configs(resources, config_filter="all").get("broker", {})
        values = [told.get(broker, {}).get(CHECK_INTERVAL, {}).get("value") for broker in brokers]
        if not values or None in values:
            return None
        return timedelta(milliseconds=max(int(value) for value in values))


def open_topics(kafka: KafkaAccess, *, timeout: timedelta) -> KafkaTopics:
    """Connect.

    Args:
        kafka: How Kafka is reached.
        timeout: For the first connection; requests take up to three times as long.

    Raises:
        Unavailable: No broker answers.
        Misconfigured: It does not take our credentials, or a certificate cannot be read.
    """
    from kafka import KafkaAdminClient
    from kafka.net.compat import KafkaNetClient

    until = time.monotonic() + timeout.total_seconds()
    where = str(kafka)
    arguments = kafka.client_arguments()
    try:
        await_listener(kafka, until)
    except OSError:
        raise _silent(where) from None
    clients: list[Any] = []

    def keep(**configs: Any) -> Any:
        clients.append(KafkaNetClient(**configs))
        return clients[-1]

    asked = bool(kafka.mechanism or kafka.cert_file)
    with _translated("be asked", where=where, credentials=asked):
        try:
            admin = KafkaAdminClient(
                **arguments,
                bootstrap_timeout_ms=max(1000, round((until - time.monotonic()) * 1000)),
                request_timeout_ms=round(3000 * timeout.total_seconds()),
                client_id="openlfr-topics",
                kafka_client=keep,
            )
        except BaseException:
            for client in clients:  # kafka-python leaves its thread and sockets behind
                client.close()
            raise
    return KafkaTopics(admin)


def _shape(topic: Topic, partitions: list[dict[str, Any]]) -> Iterator[Difference]:
    have = len(partitions)
    if have != topic.partitions:
        too_many = "; Kafka cannot take partitions away" if have > topic.partitions else ""
        yield Difference(
            f"{topic.name}: {have} partitions, must be {topic.partitions}{too_many}",
            topic.name, "partitions", have < topic.partitions,
        )  # fmt: skip
    copies = sorted({len(each["replica_nodes"]) for each in partitions} - {topic.replicas})
    if copies:
        yield Difference(
            f"{topic.name}: {copies[0]} replicas, must be {topic.replicas}; reassign its"
            " partitions with Kafka's own tool, or change topics.replication",
            topic.name, "replicas", False,
        )  # fmt: skip


def _hidden(topic: Topic) -> Difference:
    return Difference(
        f"{topic.name}: Kafka does not show it to this user, who needs Describe and"
        " DescribeConfigs on it",
        topic.name, "rights", False,
    )  # fmt: skip


def _settings(topic: Topic, configs: dict[str, str], copies_differ: bool) -> Iterator[Difference]:
    for key, value in topic.configs.items():
        have = configs.get(key, "not told")
        if have != value:
            line = f"{topic.name}: {key} is {have}, must be {value}"
            # More copies in sync than there are would stop every producer.
            harmful = copies_differ and key == "min.insync.replicas"
            yield Difference(line, topic.name, key, not harmful)


def _transit(
    configs: dict[str, str], check: timedelta | None, promised: timedelta
) -> Iterator[Difference]:
    try:
        bound = transit_bound(configs, check)
    except (KeyError, ValueError):
        return  # the settings themselves are told of already
    if bound.total > promised:
        yield Difference(
            f"{FRAMES.name}: {bound}; at most {promised.total_seconds():g} s are promised:"
            f"{'' if bound.check_known else _LET_LOOK} set {CHECK_INTERVAL} on the brokers, or"
            " accept more in topics.frames_transit",
            FRAMES.name, "transit", False,
        )  # fmt: skip


def _resource(kind: str, name: str, configs: dict[str, str] | None = None) -> Any:
    from kafka.admin import ConfigResource

    return ConfigResource(kind, name, configs)


@contextmanager
def _translated(
    doing: str, topic: Topic | None = None, where: str = "", *, credentials: bool = False
) -> Iterator[None]:
    """Kafka's errors as ours."""
    from kafka import errors

    try:
        yield
    except OpenLFRError:
        raise
    except errors.InvalidReplicationFactorError as error:
        copies = topic.replicas if topic else "as many"
        raise Misconfigured(
            f"Kafka has too few brokers for {copies} replicas: add brokers, or lower"
            " topics.replication."
        ) from error
    except (errors.AuthorizationError, errors.SaslAuthenticationFailedError) as error:
        raise Misconfigured(
            f"Kafka does not let us {doing} ({type(error).__name__}): check the user and its"
            " rights."
        ) from error
    except errors.KafkaTimeoutError as error:
        raise _silent(where, credentials=credentials) from error
    except (errors.KafkaError, OSError) as error:
        what = f"Kafka cannot {doing}: {type(error).__name__}."
        retriable = isinstance(error, OSError) or error.retriable
        raise (Unavailable(what) if retriable else Misconfigured(what)) from error


def _silent(where: str, *, credentials: bool = False) -> Unavailable:
    # kafka-python (3.0) tells a refused password and a broker that hangs up alike.
    beside = ", or does not take our user, password or certificate" if credentials else ""
    return Unavailable(
        f"Kafka{f' at {where}' if where else ''} does not answer{beside}: is the broker running,"
        " and is the address right?"
    )
