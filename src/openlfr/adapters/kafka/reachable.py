"""A check that a broker accepts connections, before kafka-python connects.

kafka-python leaks a socket for every refused connection, and reports an untrusted certificate as a
broker that does not answer.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from openlfr.adapters.kafka.access import KafkaAccess

_MIN_TIMEOUT_S, _MAX_TIMEOUT_S = 0.5, 2.0  # per broker, so that all brokers are tried
_PAUSE_S = 0.1  # between two rounds over all brokers


def await_listener(kafka: KafkaAccess, until: float) -> None:
    """Wait until a broker accepts a connection and, with TLS, has a trusted certificate.

    Args:
        kafka: Address and credentials of Kafka; every broker is tried at least once.
        until: Deadline as `time.monotonic()`.

    Raises:
        OSError: No broker accepts a connection.
        Misconfigured: A broker's certificate is not trusted, or the broker has no TLS.
    """
    while True:
        refusal = OSError("no broker is configured")
        for broker in kafka.brokers:
            try:
                remaining_s = until - time.monotonic()
                _connect(kafka, broker, max(_MIN_TIMEOUT_S, min(_MAX_TIMEOUT_S, remaining_s)))
            except (OSError, ValueError) as error:  # ValueError: the port is not a number
                refusal = error if isinstance(error, OSError) else OSError(str(error))
            else:
                return
        if time.monotonic() >= until:
            raise refusal
        time.sleep(_PAUSE_S)


def _connect(kafka: KafkaAccess, broker: str, timeout_s: float) -> None:
    host, _, port = broker.rpartition(":")
    host = host.strip("[]")
    with socket.create_connection((host, int(port)), timeout_s) as connection:
        if kafka.tls:
            _check_tls(kafka, connection, host)


def _check_tls(kafka: KafkaAccess, connection: socket.socket, host: str) -> None:
    try:
        kafka.make_ssl_context().wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        raise Misconfigured(
            f"The certificate of Kafka at {kafka} is not trusted ({error.verify_message}): check"
            " the authorities in services.kafka.ca_file, and the names in the certificate."
        ) from None
    except ssl.SSLError as error:
        raise Misconfigured(
            f"Kafka at {kafka} does not use TLS on this port ({error.reason}): check the port, and"
            " services.kafka.tls."
        ) from None
