"""Checks and changes of Kafka's topics: `openlfr topics check` and `openlfr topics apply`."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from openlfr.adapters.kafka.reachable import await_listener
from openlfr.adapters.kafka.topic_differences import (
    Difference,
    hidden_topic,
    setting_differences,
    shape_differences,
    transit_differences,
)
from openlfr.adapters.kafka.topics import CHECK_INTERVAL, FRAMES, compute_transit_bound
from openlfr.domain.errors import Misconfigured, OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.adapters.kafka.topics import Topic, TransitBound

_MAX_CHECKS = 25  # every 0.2 s: a change is not visible on all brokers at once


class KafkaTopics:
    """The topics of a Kafka cluster."""

    def __init__(self, admin: Any, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Use a `kafka.KafkaAdminClient` or an object with the same methods."""
        self._admin = admin
        self._pause = pause

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()

    def find_differences(
        self, required: Sequence[Topic], *, transit: timedelta | None = None
    ) -> list[Difference]:
        """Return all differences between the cluster and `required`, in its order.

        Args:
            required: The topics to check. The user needs Describe and DescribeConfigs on these
                topics only, since a service must not see other topics.
            transit: Maximum time that a frame may exist. The check reads the brokers' settings,
                which needs DescribeConfigs on the cluster. None for no check.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: The user lacks a right.
        """
        with _own_errors("describe its topics"):
            described = self._describe(required)
            visible = [name for name, each in described.items() if not each["error_code"]]
            configs = self._configs(visible)
            check = None if transit is None else self._check_interval()
        differences: list[Difference] = []
        for topic in required:
            if topic.name not in described:
                differences.append(
                    Difference(f"{topic.name}: missing", topic.name, "missing", True)
                )
                continue
            settings = configs.get(topic.name)
            if not settings:  # every topic has settings; without the right Kafka returns none
                differences.append(hidden_topic(topic))
                continue
            shape = list(shape_differences(topic, described[topic.name]["partitions"]))
            replicas_differ = any(each.setting == "replicas" for each in shape)
            differences += [*shape, *setting_differences(topic, settings, replicas_differ)]
            if topic.name == FRAMES.name and transit is not None:
                differences += transit_differences(settings, check, transit)
        return differences

    def read_transit_bound(self, required: Sequence[Topic]) -> TransitBound:
        """Return the longest time that a frame can exist.

        For settings that Kafka does not show, the values in `required` are used.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: The user lacks a right.
        """
        frames = next(topic for topic in required if topic.name == FRAMES.name)
        with _own_errors("describe its topics"):
            configs = self._configs(list(self._describe([frames]))).get(frames.name, {})
            return compute_transit_bound({**frames.configs, **configs}, self._check_interval())

    def apply(self, required: Sequence[Topic]) -> list[str]:
        """Create and change topics as required; return a line for each change.

        Partitions are added and settings are set. No topic is deleted, no partition is removed and
        no replica is moved. `find_differences` still returns such differences afterwards.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: The cluster refuses a change.
        """
        topics = {topic.name: topic for topic in required}
        todo = [each for each in self.find_differences(required) if each.is_fixed_by_apply]
        changes: list[str] = []
        for name in dict.fromkeys(each.topic for each in todo):
            topic = topics[name]
            settings = {each.setting for each in todo if each.topic == name}
            with _own_errors(f"create or change {name}", topic):
                changes += self._change(topic, settings)
        for _ in range(_MAX_CHECKS if todo else 0):
            remaining = {(each.topic, each.setting) for each in self.find_differences(required)}
            if remaining.isdisjoint((each.topic, each.setting) for each in todo):
                break
            self._pause(0.2)
        return changes

    def _change(self, topic: Topic, settings: set[str]) -> Iterator[str]:
        if "missing" in settings:
            arguments = {
                "num_partitions": topic.partitions,
                "replication_factor": topic.replicas,
                "configs": dict(topic.configs),
            }
            self._admin.create_topics({topic.name: arguments})
            yield f"{topic.name}: created, {topic.partitions} partitions, {topic.replicas} replicas"
            return
        if "partitions" in settings:
            self._admin.create_partitions({topic.name: topic.partitions})
            yield f"{topic.name}: now {topic.partitions} partitions"
        changed = {key: value for key, value in topic.configs.items() if key in settings}
        if changed:
            resource = _resource("TOPIC", topic.name, changed)
            result = self._admin.alter_configs([resource])["topic"][topic.name]
            if result != "OK":
                raise Misconfigured(f"Kafka refuses the settings of {topic.name}: {result}")
            for key, value in changed.items():
                yield f"{topic.name}: {key} is now {value}"

    def _describe(self, topics: Sequence[Topic]) -> dict[str, dict[str, Any]]:
        """Return the descriptions of topics; topics that Kafka reports as missing are left out.

        Each topic is requested by name. A list of all topics would leave out the topics that the
        user may not see, and those topics would count as missing.
        """
        from kafka import errors

        descriptions = self._admin.describe_topics([topic.name for topic in topics])
        missing = errors.UnknownTopicOrPartitionError.errno
        refused = errors.TopicAuthorizationFailedError.errno
        for each in descriptions:
            if each["error_code"] not in (0, missing, refused):
                raise errors.for_code(each["error_code"])(each["name"])
        return {each["name"]: each for each in descriptions if each["error_code"] != missing}

    def _configs(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [_resource("TOPIC", name) for name in names]
        configs = self._admin.describe_configs(resources, config_filter="all")["topic"]
        return {
            name: {key: str(config["value"]) for key, config in configs.get(name, {}).items()}
            for name in names
        }

    def _check_interval(self) -> timedelta | None:
        """Return the longest check interval of all brokers; None if a broker does not show it."""
        brokers = [str(each["broker_id"]) for each in self._admin.describe_cluster()["brokers"]]
        resources = [_resource("BROKER", broker) for broker in brokers]
        configs = self._admin.describe_configs(resources, config_filter="all").get("broker", {})
        values = [
            configs.get(broker, {}).get(CHECK_INTERVAL, {}).get("value") for broker in brokers
        ]
        if not values or None in values:
            return None
        return timedelta(milliseconds=max(int(value) for value in values))


def open_topics(kafka: KafkaAccess, *, timeout: timedelta) -> KafkaTopics:
    """Connect to a cluster.

    Args:
        kafka: Address and credentials of Kafka.
        timeout: Maximum time to connect; a request may take three times as long.

    Raises:
        Unavailable: No broker answers.
        Misconfigured: The credentials are refused, or a certificate cannot be read.
    """
    from kafka import KafkaAdminClient
    from kafka.net.compat import KafkaNetClient

    until = time.monotonic() + timeout.total_seconds()
    where = str(kafka)
    arguments = kafka.client_arguments()
    try:
        await_listener(kafka, until)
    except OSError:
        raise _no_reply(where) from None
    clients: list[Any] = []

    def create_client(**configs: Any) -> Any:
        clients.append(KafkaNetClient(**configs))
        return clients[-1]

    authenticates = bool(kafka.mechanism or kafka.cert_file)
    with _own_errors("describe its topics", where=where, authenticates=authenticates):
        try:
            admin = KafkaAdminClient(
                **arguments,
                bootstrap_timeout_ms=max(1000, round((until - time.monotonic()) * 1000)),
                request_timeout_ms=round(3000 * timeout.total_seconds()),
                client_id="openlfr-topics",
                kafka_client=create_client,
            )
        except BaseException:
            for client in clients:  # kafka-python does not close its thread and sockets
                client.close()
            raise
    return KafkaTopics(admin)


def _resource(kind: str, name: str, configs: dict[str, str] | None = None) -> Any:
    from kafka.admin import ConfigResource

    return ConfigResource(kind, name, configs)


@contextmanager
def _own_errors(
    action: str, topic: Topic | None = None, where: str = "", *, authenticates: bool = False
) -> Iterator[None]:
    """Turn the exceptions of kafka-python into OpenLFR's errors."""
    from kafka import errors

    try:
        yield
    except OpenLFRError:
        raise
    except errors.InvalidReplicationFactorError as error:
        replicas = f"{topic.replicas} replicas" if topic else "the replicas"
        raise Misconfigured(
            f"Kafka has too few brokers for {replicas}: add brokers, or lower topics.replication."
        ) from error
    except (errors.AuthorizationError, errors.SaslAuthenticationFailedError) as error:
        raise Misconfigured(
            f"Kafka does not permit us to {action} ({type(error).__name__}): check the user and its"
            " rights."
        ) from error
    except errors.KafkaTimeoutError as error:
        raise _no_reply(where, authenticates=authenticates) from error
    except (errors.KafkaError, OSError) as error:
        message = f"Kafka cannot {action}: {type(error).__name__}."
        retriable = isinstance(error, OSError) or error.retriable
        raise (Unavailable(message) if retriable else Misconfigured(message)) from error


def _no_reply(where: str, *, authenticates: bool = False) -> Unavailable:
    # kafka-python (3.0) raises the same error for a refused password and a closed connection.
    refused = ", or refuses our user, password or certificate" if authenticates else ""
    return Unavailable(
        f"Kafka{f' at {where}' if where else ''} does not answer{refused}: check that the"
        " broker runs and that its address is right."
    )
