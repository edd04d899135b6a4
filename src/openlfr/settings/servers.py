"""The keys `services.redis`, `.milvus` and `.sql`: addresses, TLS, and secrets from files.

A server is configured by an address alone, or by a block of keys. The server's secret is in a file
(`password_file`), in an environment variable, in the block or in the address. The file is read when
a connection needs the secret, which is never stored in a value that may be printed. `variables`
maps environment variables to keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from openlfr.domain.addresses import HINT, authority_of, is_readable
from openlfr.domain.errors import Misconfigured
from openlfr.settings.values import FilePath, Section

if TYPE_CHECKING:
    from pathlib import Path


def make_block(value: Any) -> Any:
    """Convert an address alone to a block; return any other value unchanged."""
    return {"url": value} if isinstance(value, str) else value


def _is_by_socket(url: str) -> bool:
    """Return whether a database address has a socket folder as host, such as `@/db?host=/run`."""
    host = authority_of(url).rpartition("@")[2]
    return (
        url.startswith("postgresql")
        and not host
        and "@" not in url.partition("?")[2]
        and ("host" in dict(parse_qsl(urlsplit(url).query)))
    )


class Server(Section):
    """The keys of every server."""

    name: ClassVar[str]

    url: str = Field(title="Address", repr=False)
    password: SecretStr | None = Field(
        default=None, title="Password", description="Prefer a file: password_file."
    )
    password_file: FilePath | None = Field(
        default=None, title="File of the password", description="One line, read at the start."
    )
    ca_file: FilePath | None = Field(
        default=None, title="Authorities",
        description="PEM certificates to trust instead of the system's list.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _check_url_and_secret(self) -> Server:
        has_no_host = self.url.startswith(("kafka:", "unix:", "sqlite:")) or _is_by_socket(self.url)
        if not has_no_host and not is_readable(self.url):
            raise ValueError(
                "is an address whose host and port cannot be parsed. Keep the password in"
                f" password_file, or: {HINT}"
            )
        try:
            urlsplit(self.url)
        except ValueError:  # the message contains the password
            raise ValueError(
                "has a character that is not allowed in an address: [ or ], or one that looks"
                " like / ? # @ or :. Put the password into password_file, or percent-encode it."
            ) from None
        has_secret = [self.password is not None, self.password_file is not None]
        has_secret.append("@" in self.url and bool(_split_userinfo(self.url)[1]))
        if sum(has_secret) > 1:
            raise ValueError(
                "has its password in two places: keep one of password, password_file and the"
                " address"
            )
        return self

    def check_secrets(self) -> None:
        """Read all secrets from their files, so that a mistake is detected at the start.

        Raises:
            Misconfigured: A secret's file cannot be read, or is empty.
        """
        self._read_password()

    def _read_password(self) -> str:
        """Return the password; empty if there is none.

        Raises:
            Misconfigured: The password's file cannot be read, or is empty.
        """
        if self.password is not None:
            return self.password.get_secret_value()
        if self.password_file is None:
            return ""
        return read_secret(self.password_file, f"services.{self.name}.password_file")


class Redis(Server):
    """The key `services.redis`."""

    name = "redis"

    @model_validator(mode="after")
    def _check_consistency(self) -> Redis:
        _require_scheme(self.url, "redis", "rediss", "unix")
        if self.ca_file and not self.url.startswith("rediss://"):
            raise ValueError("has ca_file, which needs an address that begins with rediss:// (TLS)")
        return self

    @property
    def address(self) -> str:
        """The address for redis-py, password included: never print it.

        Raises:
            Misconfigured: The password's file cannot be read, or is empty.
        """
        parameters = {"ssl_ca_certs": str(self.ca_file)} if self.ca_file else {}
        return _build_address(self.url, self._read_password(), parameters)


class Milvus(Server):
    """The key `services.milvus`; its password is `user:password`, or a token."""

    name = "milvus"

    @model_validator(mode="after")
    def _check_consistency(self) -> Milvus:
        _require_scheme(self.url, "http", "https", "tcp")
        if self.ca_file and not self.url.startswith("https://"):
            raise ValueError("has ca_file, which needs an address that begins with https://")
        return self

    @property
    def address(self) -> tuple[str, str]:
        """The address without credentials, and the credentials; empty if there are none.

        Raises:
            Misconfigured: The token's file cannot be read, or is empty.
        """
        scheme, rest = self.url.split("://", 1)
        token, _, host = rest.rpartition("@")
        return f"{scheme}://{host}", self._read_password() or unquote(token)


class Sql(Server):
    """The key `services.sql`: the database of the records."""

    name = "sql"

    @model_validator(mode="after")
    def _check_consistency(self) -> Sql:
        if not self.url.startswith(("sqlite", "postgresql")) or "://" not in self.url:
            raise ValueError(
                "must be an address that begins with postgresql+psycopg:// or sqlite://"
            )
        if self.ca_file and not self.url.startswith("postgresql"):
            raise ValueError("has ca_file, which needs an address of PostgreSQL")
        return self

    @property
    def address(self) -> str:
        """The address for SQLAlchemy, password included: never print it.

        With a `ca_file` the server's certificate must match the server's name
        (`sslmode=verify-full`).

        Raises:
            Misconfigured: The password's file cannot be read, or is empty.
        """
        parameters = (
            {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)} if self.ca_file else {}
        )
        return _build_address(self.url, self._read_password(), parameters)


RedisBlock = Annotated[Redis, BeforeValidator(make_block)]
MilvusBlock = Annotated[Milvus, BeforeValidator(make_block)]
SqlBlock = Annotated[Sql, BeforeValidator(make_block)]


def read_secret(file: Path, setting: str) -> str:
    """Read a secret from the first line of a file.

    Args:
        file: The file with the secret.
        setting: The key or option with the file's path, for the error message.

    Raises:
        Misconfigured: The file cannot be read, or is empty.
    """
    try:
        secret = file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "the file is not text"
        raise Misconfigured(
            f"The secret in {file} ({setting}) cannot be read: {reason}. Check that the file "
            "exists and that this user may read it."
        ) from None
    if not secret:
        raise Misconfigured(
            f"The secret in {file} ({setting}) is empty. Write the secret on the file's first line."
        )
    return secret


def _require_scheme(url: str, *schemes: str) -> None:
    prefixes = tuple(f"{scheme}://" for scheme in schemes)
    if not url.startswith(prefixes):
        raise ValueError(f"must be an address that begins with {' or '.join(prefixes)}")


def _split_userinfo(url: str) -> tuple[str, str]:
    user, _, secret = authority_of(url).rpartition("@")[0].partition(":")
    return user, secret


def _build_address(url: str, secret: str, parameters: dict[str, str]) -> str:
    """Return the address with this password and these parameters, if any."""
    if not secret and not parameters:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:  # the message contains the password
        raise Misconfigured(f"An address in services cannot be parsed. {HINT}") from None
    netloc = parts.netloc
    if secret:
        host = netloc.rpartition("@")[2]
        netloc = f"{_split_userinfo(url)[0]}:{quote(secret, safe='')}@{host}"
    query = urlencode({**dict(parse_qsl(parts.query)), **parameters})
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))
