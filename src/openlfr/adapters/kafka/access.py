"""Address and credentials of Kafka, as arguments of kafka-python and of Faust.

Both clients use the same `ssl.SSLContext`. It requires TLS 1.2 or newer and a certificate with the
broker's name, and trusts the configured authority instead of the system's list.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Address and credentials of Kafka.

    Attributes:
        brokers: Addresses as "host:port".
        tls: Whether connections are encrypted and brokers must have a trusted certificate.
        mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty without a user name.
        username: User name; empty for no authentication.
        password: Password, never shown.
        ca_file: PEM certificates of the trusted authorities; None for the system's authorities.
        cert_file: PEM certificate of this client; None for a client without certificate.
        key_file: Private key of `cert_file`.
    """

    brokers: tuple[str, ...]
    tls: bool = False
    mechanism: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __str__(self) -> str:
        """Return the brokers, for a message."""
        return ", ".join(self.brokers)

    def client_arguments(self) -> dict[str, Any]:
        """Return the arguments of kafka-python's clients.

        Raises:
            Misconfigured: A certificate or key cannot be read.
        """
        arguments: dict[str, Any] = {
            "bootstrap_servers": list(self.brokers),
            "security_protocol": ("SASL_" if self.mechanism else "")
            + ("SSL" if self.tls else "PLAINTEXT"),
        }
        if self.tls:
            arguments["ssl_context"] = self.make_ssl_context()
        if self.mechanism:
            arguments |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return arguments

    def faust_arguments(self) -> dict[str, Any]:
        """Return the arguments of a Faust app.

        Raises:
            Misconfigured: A certificate or key cannot be read.
        """
        from faust.auth import SASLCredentials, SSLCredentials

        arguments: dict[str, Any] = {"broker": [f"kafka://{each}" for each in self.brokers]}
        context = self.make_ssl_context() if self.tls else None
        if self.mechanism:
            arguments["broker_credentials"] = SASLCredentials(
                username=self.username,
                password=self.password,
                ssl_context=context,
                mechanism=self.mechanism,
            )
        elif context is not None:
            arguments["broker_credentials"] = SSLCredentials(context)
        return arguments

    def make_ssl_context(self) -> ssl.SSLContext:
        """Build the context with the trusted authorities and this client's certificate.

        Raises:
            Misconfigured: A certificate or key cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("the authorities' certificates", self.ca_file, error) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file is not None:
            try:
                context.load_cert_chain(self.cert_file, self.key_file)
            except (OSError, ssl.SSLError) as error:
                what = f"the certificate with its key {self.key_file}"
                raise _unusable(what, self.cert_file, error) from None
        return context


def _unusable(what: str, file: Path | None, error: OSError) -> Misconfigured:
    why = error.strerror or type(error).__name__
    if isinstance(error, ssl.SSLError):
        why = f"{error.reason or 'not PEM'}".replace("_", " ").lower()
    return Misconfigured(f"Kafka: {what} in {file} cannot be used ({why}): check the file.")
