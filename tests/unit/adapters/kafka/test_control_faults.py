"""A fault of ours while the watchlist is read is no silence of the brokers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kafka.errors import KafkaConnectionError

from openlfr.adapters.kafka import control_reader as kafka_control_reader
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.control_followers import WatchlistFollower
from openlfr.adapters.kafka.control_reader import ControlReader
from openlfr.domain.errors import Unavailable

KEY = bytes(32)
FAULT = KeyError("reference_id")


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.setattr(kafka_control_reader, "_RETRY_S", 0.01)
    made = ControlReader(
        KafkaAccess(("127.0.0.1:9",)), key=KEY,
        followers=[WatchlistFollower(lambda: ["default"], lambda _: True)],
    )  # fmt: skip
    yield made
    made.close()


def follow(reader, error, *, ours):
    def fail():
        if ours:
            with reader._own_errors():
                raise error
        raise error

    reader._follow = fail
    reader.start()


def test_a_fault_ends_the_wait_and_the_search_at_once(reader):
    follow(reader, FAULT, ours=True)
    with pytest.raises(KeyError) as raised:
        reader.wait_until_ready(timedelta(seconds=60))
    assert raised.value is FAULT
    with pytest.raises(KeyError):
        reader.check()
    assert "KeyError" in reader.search_problem()


@pytest.mark.parametrize("error", [KafkaConnectionError(), Unavailable("Away."), FAULT])
def test_an_error_of_the_client_or_of_a_service_is_retried(reader, error):
    follow(reader, error, ours=isinstance(error, Unavailable))
    with pytest.raises(Unavailable):
        reader.wait_until_ready(timedelta(seconds=0.2))
