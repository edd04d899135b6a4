"""How the servers of the city-wide mode are reached: addresses, TLS, and secrets by file.

A server is written as its address alone, or as a block of keys. A secret stands in a file whose
name is given (`password_file`), in the environment, or in the block itself; it is read when a
server is asked for, never kept in what may be printed. `variables` says which environment
variable takes the place of which key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.domain.addresses import HINT, authority_of, is_readable
from openlfr.domain.errors import Misconfigured
from openlfr.settings.values import FilePath, Section

if TYPE_CHECKING:
    from pathlib import Path

_BROKER = re.compile(r"[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", re.ASCII)


def _address_alone(value: Any) -> Any:
    """An address stands for a block that gives nothing else."""
    return {"url": value} if isinstance(value, str) else value


def _is_by_socket(url: str) -> bool:
    """Whether a database address names a folder of sockets in place of a host: `@/db?host=/run`."""
    host = authority_of(url).rpartition("@")[2]
    return (
        url.startswith("postgresql")
        and not host
        and "@" not in url.partition("?")[2]
        and ("host" in dict(parse_qsl(urlsplit(url).query)))
    )


class _Server(Section):
    """What is said of every server."""

    name: ClassVar[str]

    url: str = Field(title="Address", repr=False)
    password: SecretStr | None = Field(
        default=None, title="Password", description="Better kept in a file: password_file."
    )
    password_file: FilePath | None = Field(
        default=None, title="File of the password", description="One line, read at the start."
    )
    ca_file: FilePath | None = Field(
        default=None, title="Authorities",
        description="PEM certificates that are trusted in place of the system's list.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _secret_once(self) -> _Server:
        elsewhere = self.url.startswith(("kafka:", "unix:", "sqlite:")) or _is_by_socket(self.url)
        if not elsewhere and not is_readable(self.url):
            raise ValueError(
                "has no host and port that can be told apart. Keep the password in password_file,"
                f" or: {HINT}"
            )
        try:
            urlsplit(self.url)
        except ValueError:  # whose words repeat the password
            raise ValueError(
                "has a character that no address may hold as it is: [ or ], or one that looks like"
                " / ? # @ or :. Keep the password in password_file, or write it percent-encoded."
            ) from None
        given = [self.password is not None, self.password_file is not None]
        given.append("@" in self.url and bool(_userinfo(self.url)[1]))
        if sum(given) > 1:
            raise ValueError(
                "has its password in two places: keep one of password, password_file and the"
                " address"
            )
        return self

    def check_secrets(self) -> None:
        """Read what is kept in files.

        Raises:
            Misconfigured: One cannot be read, or is empty.
        """
        self._secret()

    def _secret(self) -> str:
        """The password; empty without one.

        Raises:
            Misconfigured: Its file cannot be read, or is empty.
        """
        if self.password is not None:
            return self.password.get_secret_value()
        if self.password_file is None:
            return ""
        return read_secret(self.password_file, f"services.{self.name}.password_file")


class Kafka(_Server):
    """Kafka's brokers."""

    name = "kafka"

    tls: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, title="TLS", description="Whether connections are encrypted."
    )
    auth: Literal["none", "plain", "scram-sha-256", "scram-sha-512", "tls"] = Field(
        default="none", title="Authentication",
        description="How a client says who it is; tls is by a certificate.",
    )  # fmt: skip
    username: str = Field(default="", title="User")
    username_file: FilePath | None = Field(default=None, title="File of the user's name")
    cert_file: FilePath | None = Field(default=None, title="Certificate of this client")
    key_file: FilePath | None = Field(default=None, title="Key of this client")

    @model_validator(mode="after")
    def _whole(self) -> Kafka:
        if not self.url.startswith("kafka://") or not all(map(_BROKER.fullmatch, self.brokers)):
            raise ValueError("must be such as kafka://broker-1:9092,broker-2:9092")
        if problem := self._contradiction():
            raise ValueError(problem)
        return self

    def _contradiction(self) -> str:
        by_name = self.auth in {"plain", "scram-sha-256", "scram-sha-512"}
        user = bool(self.username) or self.username_file is not None
        secret = self.password is not None or self.password_file is not None
        if self.username and self.username_file:
            return "has its user in two places: keep username or username_file"
        if by_name and not (user and secret):
            return f"has auth {self.auth}, which needs username_file and password_file"
        if not by_name and (user or secret):
            return (
                f"has a user or password but auth {self.auth}: set auth to plain, scram-sha-256"
                " or scram-sha-512"
            )
        if self.auth != "none" and self.tls is None:
            return f"has auth {self.auth} but does not say whether tls is true or false"
        if (self.cert_file is None) != (self.key_file is None):
            return "needs cert_file and key_file together"
        if self.auth == "tls" and self.cert_file is None:
            return "has auth tls, which needs cert_file and key_file"
        if not self.tls and (self.cert_file or self.ca_file or self.auth == "tls"):
            return "has certificates or auth tls, which need tls: true"
        return ""

    def check_secrets(self) -> None:
        """As for every server; the user's name and the certificates too."""
        self.access.client_arguments()

    @property
    def brokers(self) -> tuple[str, ...]:
        """Each broker as host:port."""
        return tuple(self.url.removeprefix("kafka://").rstrip("/").split(","))

    @property
    def access(self) -> KafkaAccess:
        """How to reach it, secrets read.

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
            password=self._secret(),
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
        )


class Redis(_Server):
    """The Redis that services share."""

    name = "redis"

    @model_validator(mode="after")
    def _whole(self) -> Redis:
        _begins(self.url, "redis", "rediss", "unix")
        if self.ca_file and not self.url.startswith("rediss://"):
            raise ValueError("has ca_file, which needs an address that begins with rediss:// (TLS)")
        return self

    @property
    def address(self) -> str:
        """The whole address as redis-py reads it, password included: never to be shown.

        Raises:
            Misconfigured: The password's file cannot be read, or is empty.
        """
        more = {"ssl_ca_certs": str(self.ca_file)} if self.ca_file else {}
        return _complete(self.url, self._secret(), more)


class Milvus(_Server):
    """The Milvus server; its password is `user:password`, or a token."""

    name = "milvus"

    @model_validator(mode="after")
    def _whole(self) -> Milvus:
        _begins(self.url, "http", "https", "tcp")
        if self.ca_file and not self.url.startswith("https://"):
            raise ValueError("has ca_file, which needs an address that begins with https://")
        return self

    @property
    def address(self) -> tuple[str, str]:
        """The address without credentials, and these as Milvus's token (`user:password`).

        Raises:
            Misconfigured: The token's file cannot be read, or is empty.
        """
        scheme, rest = self.url.split("://", 1)
        token, _, host = rest.rpartition("@")
        return f"{scheme}://{host}", self._secret() or unquote(token)


class Sql(_Server):
    """The records' database."""

    name = "sql"

    @model_validator(mode="after")
    def _whole(self) -> Sql:
        if not self.url.startswith(("sqlite", "postgresql")) or "://" not in self.url:
            raise ValueError(
                "must be an address that begins with postgresql+psycopg:// or sqlite://"
            )
        if self.ca_file and not self.url.startswith("postgresql"):
            raise ValueError("has ca_file, which needs an address of PostgreSQL")
        return self

    @property
    def address(self) -> str:
        """The whole address as SQLAlchemy reads it, password included: never to be shown.

        With an authority of one's own the server must prove its name (`sslmode=verify-full`).

        Raises:
            Misconfigured: The password's file cannot be read, or is empty.
        """
        more = {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)} if self.ca_file else {}
        return _complete(self.url, self._secret(), more)


AsKafka = Annotated[Kafka, BeforeValidator(_address_alone)]
AsRedis = Annotated[Redis, BeforeValidator(_address_alone)]
AsMilvus = Annotated[Milvus, BeforeValidator(_address_alone)]
AsSql = Annotated[Sql, BeforeValidator(_address_alone)]


def read_secret(file: Path, named: str) -> str:
    """The first line of a file.

    Raises:
        Misconfigured: It cannot be read, or is empty; `named` is the setting that names it.
    """
    try:
        secret = file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise Misconfigured(
            f"The secret in {file} ({named}) cannot be read: {why}. Check that the file is there "
            "and that this user may read it."
        ) from None
    if not secret:
        raise Misconfigured(f"The secret in {file} ({named}) is empty.")
    return secret


def _begins(url: str, *schemes: str) -> None:
    beginnings = tuple(f"{scheme}://" for scheme in schemes)
    if not url.startswith(beginnings):
        raise ValueError(f"must be an address that begins with {' or '.join(beginnings)}")


def _userinfo(url: str) -> tuple[str, str]:
    user, _, secret = authority_of(url).rpartition("@")[0].partition(":")
    return user, secret


def _complete(url: str, secret: str, more: dict[str, str]) -> str:
    """An address with a password and further parameters in it."""
    if not secret and not more:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:  # it repeats what it does not like
        raise Misconfigured(f"An address in services cannot be read. {HINT}") from None
    netloc = parts.netloc
    if secret:
        host = netloc.rpartition("@")[2]
        netloc = f"{_userinfo(url)[0]}:{quote(secret, safe='')}@{host}"
    query = urlencode({**dict(parse_qsl(parts.query)), **more})
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))
