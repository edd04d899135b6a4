"""What the work is done with: models and services."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from openlfr.settings.servers import AsKafka, AsMilvus, AsRedis, AsSql
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
        description="How many pictures or faces a CPU looks at side by side, a core each;"
        " a model of your own uses them inside one call.",
    )  # fmt: skip
    providers: Annotated[
        Literal["auto", "gpu"] | tuple[str, ...], BeforeValidator(_providers)
    ] = Field(
        default="auto", title="Providers",
        description="ONNX Runtime execution providers in order, 'auto' for the best one here, or"
        " 'gpu' for the best on a GPU: without one nothing starts.",
    )  # fmt: skip


class Services(Section):
    """Servers to use in place of the embedded ones: an address each, or a block of keys."""

    kafka: AsKafka | None = Field(
        default=None, title="Kafka",
        description="kafka:// address of one broker or several, of the city-wide mode;"
        " `openlfr run` needs none.",
    )  # fmt: skip
    redis: AsRedis | None = Field(
        default=None, title="Redis",
        description="redis:// address. Left out: a private Redis in the data folder.",
    )  # fmt: skip
    milvus: AsMilvus | None = Field(
        default=None, title="Milvus",
        description="http:// address, token as password. Left out: Milvus Lite in the data"
        " folder.",
    )  # fmt: skip
    sql: AsSql | None = Field(
        default=None, title="SQL",
        description="SQLAlchemy address. Left out: SQLite in the data folder.",
    )  # fmt: skip
