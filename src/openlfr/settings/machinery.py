"""The blocks `models` and `services` of the configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from openlfr.settings.kafka import KafkaBlock
from openlfr.settings.servers import MilvusBlock, RedisBlock, SqlBlock
from openlfr.settings.values import FilePath, Section, as_tuple


def _parse_providers(value: Any) -> Any:
    if value in ("auto", "gpu"):
        return value
    names = as_tuple(value)
    if names in (("auto",), ("gpu",)):
        return names[0]
    if (
        not isinstance(names, tuple)
        or not names
        or not all(n and isinstance(n, str) for n in names)
    ):
        raise ValueError(f"must be 'auto', 'gpu' or a list of provider names, not {value!r}")
    return names


class Models(Section):
    """The models and their execution."""

    folder: FilePath | None = Field(
        default=None, title="Folder",
        description="Folder of installed models. Default: OPENLFR_MODELS, or the user's cache.",
    )  # fmt: skip
    detector: str = Field(
        default="yunet", min_length=1, title="Detector", description="Detects faces."
    )
    embedder: str = Field(
        default="sface", min_length=1, title="Embedder",
        description="Computes templates. A watchlist works only with the embedder that computed its"
        " templates.",
    )  # fmt: skip
    threads: Annotated[int, Field(strict=True)] = Field(
        default=1, ge=1, le=256, title="Threads",
        description="Number of pictures or faces that a CPU analyses in parallel, one core each."
        " A model of your own uses the threads inside one call.",
    )  # fmt: skip
    providers: Annotated[
        Literal["auto", "gpu"] | tuple[str, ...], BeforeValidator(_parse_providers)
    ] = Field(
        default="auto", title="Providers",
        description="ONNX Runtime's execution providers in order; or 'auto', the best available;"
        " or 'gpu', the best on a GPU. With 'gpu', OpenLFR does not start without a GPU.",
    )  # fmt: skip


class Services(Section):
    """Servers that replace the embedded servers; each is an address or a block of keys."""

    kafka: KafkaBlock | None = Field(
        default=None, title="Kafka",
        description="kafka:// address of one or several brokers. Only the city-wide mode uses"
        " Kafka.",
    )  # fmt: skip
    redis: RedisBlock | None = Field(
        default=None, title="Redis",
        description="redis:// address. Default: a private Redis in the data folder.",
    )  # fmt: skip
    milvus: MilvusBlock | None = Field(
        default=None, title="Milvus",
        description="http:// address, with the token as password. Default: Milvus Lite in the"
        " data folder.",
    )  # fmt: skip
    sql: SqlBlock | None = Field(
        default=None, title="SQL",
        description="SQLAlchemy address. Default: SQLite in the data folder.",
    )  # fmt: skip
