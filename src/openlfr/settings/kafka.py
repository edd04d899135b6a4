"""The key `services.kafka`: brokers' addresses, TLS, and the client's credentials."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.settings.servers import Server, make_block, read_secret
from openlfr.settings.values import FilePath  # noqa: TC001 - pydantic reads the annotation

_BROKER = re.compile(r"[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", re.ASCII)


class Kafka(Server):
    """The key `services.kafka`: brokers and client authentication."""

    name = "kafka"

    tls: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, title="TLS", description="Whether connections are encrypted."
    )
    auth: Literal["none", "plain", "scram-sha-256", "scram-sha-512", "tls"] = Field(
        default="none", title="Authentication",
        description="How a client authenticates; tls means by certificate.",
    )  # fmt: skip
    username: str = Field(default="", title="User")
    username_file: FilePath | None = Field(default=None, title="File of the user's name")
    cert_file: FilePath | None = Field(default=None, title="Certificate of this client")
    key_file: FilePath | None = Field(default=None, title="Key of this client")

    @model_validator(mode="after")
    def _check_consistency(self) -> Kafka:
        if not self.url.startswith("kafka://") or not all(map(_BROKER.fullmatch, self.brokers)):
            raise ValueError("must look like kafka://broker-1:9092,broker-2:9092")
        if problem := self._find_contradiction():
            raise ValueError(problem)
        return self

    def _find_contradiction(self) -> str:
        needs_user = self.auth in {"plain", "scram-sha-256", "scram-sha-512"}
        has_user = bool(self.username) or self.username_file is not None
        has_secret = self.password is not None or self.password_file is not None
        if self.username and self.username_file:
            return "has its user in two places: keep username or username_file"
        if needs_user and not (has_user and has_secret):
            return f"has auth {self.auth}, which needs username_file and password_file"
        if not needs_user and (has_user or has_secret):
            return (
                f"has a user or password but auth {self.auth}: set auth to plain, scram-sha-256"
                " or scram-sha-512"
            )
        if self.auth != "none" and self.tls is None:
            return f"has auth {self.auth} but not tls: set tls to true or false"
        if (self.cert_file is None) != (self.key_file is None):
            return "needs cert_file and key_file together"
        if self.auth == "tls" and self.cert_file is None:
            return "has auth tls, which needs cert_file and key_file"
        if not self.tls and (self.cert_file or self.ca_file or self.auth == "tls"):
            return "has certificates or auth tls, which need tls: true"
        return ""

    def check_secrets(self) -> None:
        """Read all secrets as a connection does, so that a mistake is detected at the start."""
        self.access.client_arguments()

    @property
    def brokers(self) -> tuple[str, ...]:
        """Each broker as host:port."""
        return tuple(self.url.removeprefix("kafka://").rstrip("/").split(","))

    @property
    def access(self) -> KafkaAccess:
        """Brokers and credentials, with the secrets read from their files.

        Raises:
            Misconfigured: A secret's file cannot be read, or is empty.
        """
        user = self.username
        if self.username_file is not None:
            user = read_secret(self.username_file, "services.kafka.username_file")
        return KafkaAccess(
            brokers=self.brokers,
            tls=bool(self.tls),
            mechanism="" if self.auth in {"none", "tls"} else self.auth.upper(),
            username=user,
            password=self._read_password(),
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
        )


KafkaBlock = Annotated[Kafka, BeforeValidator(make_block)]
