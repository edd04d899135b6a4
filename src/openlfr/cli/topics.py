"""`openlfr topics`: create and check the topics on Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openlfr.cli import SOMETHING_FAILED, config_option
from openlfr.terminal import say

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.adapters.kafka.admin import KafkaTopics
    from openlfr.settings import Settings, Topics

_bootstrap_option = click.option(
    "--bootstrap",
    metavar="HOST:PORT",
    help="One or several brokers, separated by commas. Default: services.kafka of the"
    " configuration.",
)
_wait_option = click.option(
    "--wait",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1, 600),
    help="Timeout for a broker's answer, in seconds.",
)


@click.group(name="topics")
def command() -> None:
    """Create and check the topics on Kafka (docs/topics.md)."""


@command.command()
@config_option
@_bootstrap_option
@_wait_option
def apply(config: Path, bootstrap: str | None, wait: float) -> int:
    """Create missing topics and correct wrong settings.

    The command deletes no topic, removes no partition and moves no replica. Exit code 1 if a
    difference remains.
    """
    loaded = _load_settings(config)
    topics = _open_topics(config, loaded, bootstrap, wait)
    try:
        for line in topics.apply(loaded.topics.plan):
            say(line)
        return _print_differences(topics, loaded.topics)
    finally:
        topics.close()


@command.command()
@config_option
@_bootstrap_option
@_wait_option
def check(config: Path, bootstrap: str | None, wait: float) -> int:
    """Print the topics' differences from the configuration.

    Exit code 1 if there is a difference.
    """
    loaded = _load_settings(config)
    topics = _open_topics(config, loaded, bootstrap, wait)
    try:
        return _print_differences(topics, loaded.topics)
    finally:
        topics.close()


def _load_settings(config: Path) -> Settings:
    from openlfr import settings

    return settings.load(config)


def _open_topics(config: Path, loaded: Settings, bootstrap: str | None, wait: float) -> KafkaTopics:
    from dataclasses import replace
    from datetime import timedelta

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.adapters.kafka.admin import open_topics
    from openlfr.domain.errors import Misconfigured

    access = loaded.services.kafka.access if loaded.services.kafka else None
    if bootstrap:
        brokers = tuple(bootstrap.split(","))
        access = replace(access, brokers=brokers) if access else KafkaAccess(brokers)
    if access is None:
        raise Misconfigured(
            f"{config} has no services.kafka: set this key, or use --bootstrap HOST:PORT."
        )
    return open_topics(access, timeout=timedelta(seconds=wait))


def _print_differences(topics: KafkaTopics, configured: Topics) -> int:
    plan = configured.plan
    differences = topics.find_differences(plan, transit=configured.frames_transit)
    for each in differences:
        say(each.line)
    if any(each.setting == "transit" for each in differences):
        return SOMETHING_FAILED
    say(f"frames.v1: {topics.read_transit_bound(plan)}")
    if differences:
        return SOMETHING_FAILED
    say(f"{len(plan)} topics are as configured")
    return 0
