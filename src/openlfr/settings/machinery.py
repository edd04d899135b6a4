"""What the work is done with: models and services."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field

from openlfr.settings.values import FilePath, Section, listed

_BROKER = re.compile(r"[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", re.ASCII)


def _providers(value: Any) -> Any:
    if value == "auto":
        return value
    names = listed(value)
    if not isinstance(names, tuple) or not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f"must be 'auto' or a list of provider names, not {value!r}")
    return names


def _address(*schemes: str) -> AfterValidator:
    beginnings = tuple(f"{scheme}://" for scheme in schemes)

    def check(value: str) -> str:
        if not value.startswith(beginnings):
            raise ValueError(f"must be an address that begins with {' or '.join(beginnings)}")
        return value

    return AfterValidator(check)


def _sql(value: str) -> str:
    if not value.startswith(("sqlite", "postgresql")) or "://" not in value:
        raise ValueError("must be an address that begins with postgresql+psycopg:// or sqlite://")
    return value


def _kafka(value: str) -> str:
    brokers = value.removeprefix("kafka://").rstrip("/").split(",")
    if not value.startswith("kafka://") or not all(_BROKER.fullmatch(each) for each in brokers):
        raise ValueError("must be such as kafka://broker-1:9092,broker-2:9092")
    return value


class Models(Section):
    """Which models look at the pictures, and how."""

    folder: FilePath | None = Field(
        default=None, title="Folder",
        description="Where installed models lie. Left out: the user's cache, or OPENLFR_MODELS.",
    )  # fmt: skip
    detector: str = Field(
        default="yunet", min_length=1, title="Detector", description="Finds faces."
    )
    embedder: str = Field(
        default="sface", min_length=1, title="Embedder",
        description="Makes templates. A watchlist belongs to the embedder it was made with.",
    )  # fmt: skip
    threads: Annotated[int, Field(strict=True)] = Field(
        default=1, ge=1, le=256, title="Threads",
        description="Threads of one model call; 1 is the most work per core.",
    )  # fmt: skip
    providers: Annotated[
        Literal["auto"] | tuple[str, ...], BeforeValidator(_providers)
    ] = Field(
        default="auto", title="Providers",
        description="ONNX Runtime execution providers in order, or 'auto' for the best one here.",
    )  # fmt: skip


class Services(Section):
    """Servers to use in place of the embedded ones. Addresses may carry passwords."""

    kafka: Annotated[str, AfterValidator(_kafka)] | None = Field(
        default=None, title="Kafka", repr=False,
        description="kafka:// address of one broker or several, of the city-wide mode;"
        " `openlfr run` needs none.",
    )  # fmt: skip
    redis: Annotated[str, _address("redis", "rediss", "unix")] | None = Field(
        default=None, title="Redis", repr=False,
        description="redis:// address. Left out: a private Redis in the data folder.",
    )  # fmt: skip
    milvus: Annotated[str, _address("http", "https", "tcp")] | None = Field(
        default=None, title="Milvus", repr=False,
        description="http:// address, token as password. Left out: Milvus Lite in the data"
        " folder.",
    )  # fmt: skip
    sql: Annotated[str, AfterValidator(_sql)] | None = Field(
        default=None, title="SQL", repr=False,
        description="SQLAlchemy address. Left out: SQLite in the data folder.",
    )  # fmt: skip

    @property
    def kafka_brokers(self) -> tuple[str, ...]:
        """Each broker as host:port; none where Kafka is not configured."""
        if self.kafka is None:
            return ()
        return tuple(self.kafka.removeprefix("kafka://").rstrip("/").split(","))

    @property
    def milvus_address(self) -> tuple[str, str] | None:
        """The Milvus address without its credentials, and these as Milvus's `user:password` token.

        None where the embedded Milvus Lite is used.
        """
        if self.milvus is None:
            return None
        scheme, rest = self.milvus.split("://", 1)
        token, _, host = rest.rpartition("@")
        return f"{scheme}://{host}", unquote(token)
