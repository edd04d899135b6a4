"""Whether a broker listens, asked before kafka-python is."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from dev_servers.process import free_port

from awaiting import PATIENCE_S
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.reachable import await_listener
from openlfr.domain.errors import Misconfigured


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def address(found):
    return f"127.0.0.1:{found.getsockname()[1]}"


def nobody():
    return f"127.0.0.1:{free_port()}"


def test_one_broker_of_several_is_enough(listener):
    await_listener(KafkaAccess((nobody(), address(listener))), time.monotonic())


def test_a_listener_that_starts_later_is_awaited():
    later = nobody()
    host, port = later.split(":")
    opened = []
    timer = threading.Timer(0.3, lambda: opened.append(socket.create_server((host, int(port)))))
    timer.start()
    await_listener(KafkaAccess((later,)), time.monotonic() + PATIENCE_S)
    timer.join()
    opened[0].close()


@pytest.mark.parametrize("broker", ["127.0.0.1:kafka", "127.0.0.1", None])
def test_an_address_without_a_listener_is_refused(broker):
    with pytest.raises(OSError):
        await_listener(KafkaAccess((broker or nobody(),)), time.monotonic())


def test_a_listener_without_tls_is_reported_at_once(listener):
    def answer():
        with listener.accept()[0] as found:
            found.recv(1)
            found.sendall(b"This is no TLS at all.")
            found.recv(1 << 16)

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(Misconfigured, match="does not use TLS on this port"):
        await_listener(KafkaAccess((address(listener),), tls=True), time.monotonic() + PATIENCE_S)
    thread.join()
