"""Checking Kafka's topics, and changing them as needed: `openlfr topics apply|check`."""

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
from openlfr.adapters.kafka.topics import CHECK_INTERVAL, FRAMES, transit_bound
from openlfr.domain.errors import Misconfigured, OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.adapters.kafka.topics import Topic, TransitBound

_CHECKS = 25  # 0.2 s apart: a change takes a moment until every broker shows it


class KafkaTopics:
    """The topics of a Kafka cluster."""

    def __init__(self, admin: Any, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Use a `kafka.KafkaAdminClient` or an object with the same methods."""
        self._admin = admin
        self._pause = pause

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()

    def differences(
        self, wanted: Sequence[Topic], *, transit: timedelta | None = None
    ) -> list[Difference]:
        """All differences between the cluster and `wanted`, in the order of `wanted`.

        Args:
            wanted: The topics to check. The user needs Describe and DescribeConfigs on these topics
                alone; a service must not see the others.
            transit: Longest time that a frame may exist. The check reads the brokers' settings,
                which needs DescribeConfigs on the cluster. None for no check.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: The user lacks a right.
        """
        with _own_errors("look at its topics"):
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
            if not settings:  # every topic has settings; without the right Kafka returns none
                found.append(hidden_topic(topic))
                continue
            shape = list(shape_differences(topic, described[topic.name]["partitions"]))
            copies_differ = any(each.setting == "replicas" for each in shape)
            found += [*shape, *setting_differences(topic, settings, copies_differ)]
            if topic.name == FRAMES.name and transit is not None:
                found += transit_differences(settings, check, transit)
        return found

    def transit(self, wanted: Sequence[Topic]) -> TransitBound:
        """The longest time that a frame can exist; settings not shown are taken from `wanted`.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: The user lacks a right.
        """
        frames = next(topic for topic in wanted if topic.name == FRAMES.name)
        with _own_errors("look at its topics"):
            configs = self._configs(list(self._describe([frames]))).get(frames.name, {})
            return transit_bound({**frames.configs, **configs}, self._check_interval())

    def apply(self, wanted: Sequence[Topic]) -> list[str]:
        """Create and change topics as needed; returns a line for each change.

        Partitions are added and settings set. No topic is deleted, no partition removed and no
        replica moved: such differences remain, and `differences` returns them.

        Raises:
            Unavailable: The cluster does not answer.
            Misconfigured: The cluster refuses a change.
        """
        named = {topic.name: topic for topic in wanted}
        todo = [each for each in self.differences(wanted) if each.mended_by_apply]
        done: list[str] = []
        for name in dict.fromkeys(each.topic for each in todo):
            topic = named[name]
            settings = {each.setting for each in todo if each.topic == name}
            with _own_errors(f"make {name} as it must be", topic):
                done += self._mend(topic, settings)
        for _ in range(_CHECKS if todo else 0):
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
        """The descriptions of topics, except those that Kafka reports as missing.

        Each topic is requested by name: a list of all topics leaves out those that the user may
        not see, so that they would count as missing.
        """
        from kafka import errors

        descriptions = self._admin.describe_topics([topic.name for topic in wanted])
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
        found = self._admin.describe_configs(resources, config_filter="all")["topic"]
        return {
            name: {key: str(config["value"]) for key, config in found.get(name, {}).items()}
            for name in names
        }

    def _check_interval(self) -> timedelta | None:
        """The longest interval of all brokers; None if one broker does not show it."""
        brokers = [str(each["broker_id"]) for each in self._admin.describe_cluster()["brokers"]]
        resources = [_resource("BROKER", broker) for broker in brokers]
        found = self._admin.describe_configs(resources, config_filter="all").get("broker", {})
        values = [found.get(broker, {}).get(CHECK_INTERVAL, {}).get("value") for broker in brokers]
        if not values or None in values:
            return None
        return timedelta(milliseconds=max(int(value) for value in values))


def open_topics(kafka: KafkaAccess, *, timeout: timedelta) -> KafkaTopics:
    """Connect to a cluster.

    Args:
        kafka: Address and credentials of Kafka.
        timeout: Longest time to connect; a request may take three times as long.

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
        raise _silent(where) from None
    clients: list[Any] = []

    def keep(**configs: Any) -> Any:
        clients.append(KafkaNetClient(**configs))
        return clients[-1]

    authenticates = bool(kafka.mechanism or kafka.cert_file)
    with _own_errors("be asked", where=where, authenticates=authenticates):
        try:
            admin = KafkaAdminClient(
                **arguments,
                bootstrap_timeout_ms=max(1000, round((until - time.monotonic()) * 1000)),
                request_timeout_ms=round(3000 * timeout.total_seconds()),
                client_id="openlfr-topics",
                kafka_client=keep,
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
    doing: str, topic: Topic | None = None, where: str = "", *, authenticates: bool = False
) -> Iterator[None]:
    """Turn the exceptions of kafka-python into OpenLFR's errors."""
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
        raise _silent(where, authenticates=authenticates) from error
    except (errors.KafkaError, OSError) as error:
        what = f"Kafka cannot {doing}: {type(error).__name__}."
        retriable = isinstance(error, OSError) or error.retriable
        raise (Unavailable(what) if retriable else Misconfigured(what)) from error


def _silent(where: str, *, authenticates: bool = False) -> Unavailable:
    # kafka-python (3.0) raises the same error for a refused password and a closed connection.
    refused = ", or does not take our user, password or certificate" if authenticates else ""
    return Unavailable(
        f"Kafka{f' at {where}' if where else ''} does not answer{refused}: is the broker running,"
        " and is the address right?"
    )
