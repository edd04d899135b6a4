"""The blocks `models` and `services` of the configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from openlfr.settings.kafka import AsKafka
from openlfr.settings.servers import AsMilvus, AsRedis, AsSql
from openlfr.settings.values import FilePath, Section, listed


def _providers(value: Any) -> Any:
    if value in ("auto", "gpu"):
        return value
    names = listed(value)
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
    """The models, and how they are executed."""

    folder: FilePath | None = Field(
        default=None, title="Folder",
        description="Folder of installed models. Left out: OPENLFR_MODELS, or the user's cache.",
    )  # fmt: skip
    detector: str = Field(
        default="yunet", min_length=1, title="Detector", description="Finds faces."
    )
    embedder: str = Field(
        default="sface", min_length=1, title="Embedder",
        description="Computes templates. A watchlist works only with the embedder that made it.",
    )  # fmt: skip
    threads: Annotated[int, Field(strict=True)] = Field(
        default=1, ge=1, le=256, title="Threads",
        description="Pictures or faces that a CPU analyses in parallel, one core each;"
        " a model of your own uses the threads inside one call.",
    )  # fmt: skip
    providers: Annotated[
        Literal["auto", "gpu"] | tuple[str, ...], BeforeValidator(_providers)
    ] = Field(
        default="auto", title="Providers",
        description="ONNX Runtime execution providers in order, 'auto' for the best one here, or"
        " 'gpu' for the best one on a GPU; with 'gpu' nothing starts without a GPU.",
    )  # fmt: skip


class Services(Section):
    """Servers to use instead of the embedded ones: an address each, or a block of keys."""

    kafka: AsKafka | None = Field(
        default=None, title="Kafka",
        description="kafka:// address of one broker or several. Only the city-wide mode uses"
        " Kafka.",
    )  # fmt: skip
    redis: AsRedis | None = Field(
        default=None, title="Redis",
        description="redis:// address. Left out: a private Redis in the data folder.",
    )  # fmt: skip
    milvus: AsMilvus | None = Field(
        default=None, title="Milvus",
        description="http:// address, with the token as password. Left out: Milvus Lite in the"
        " data folder.",
    )  # fmt: skip
    sql: AsSql | None = Field(
        default=None, title="SQL",
        description="SQLAlchemy address. Left out: SQLite in the data folder.",
    )  # fmt: skip
