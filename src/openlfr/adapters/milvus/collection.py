"""The collection of templates in Milvus: its fields, its rows, the model that it names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pymilvus import DataType

from openlfr.adapters.milvus.connection import LOAD_S, READ_S
from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.watchlist import GalleryFacts, StoredTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

COLLECTION = "openlfr_references"
FIELDS = {"reference_id": 64, "watchlist": 512, "subject": 2048, "template_hash": 64}
"""The texts of a row, beside its vector; the longest that each may be, in bytes."""
_PREFIX = "openlfr."  # of the collection's properties that hold the facts


class Hit(NamedTuple):
    """A stored template that a search found.

    Attributes:
        similarity: Cosine.
    """

    reference_id: str
    watchlist: str
    subject: str
    template_hash: str
    similarity: float


def make_collection(client: Any, facts: GalleryFacts) -> None:
    """Make it, empty, for the templates of one model, which it names from then on."""
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    for name, length in FIELDS.items():
        schema.add_field(
            name, DataType.VARCHAR, max_length=length, is_primary=name == "reference_id"
        )
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=facts.dimension)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")  # unit length: the cosine
    client.create_collection(
        COLLECTION,
        schema=schema,
        index_params=index,
        consistency_level="Strong",
        timeout=LOAD_S,
        properties={
            f"{_PREFIX}{name}": str(getattr(facts, name))
            for name in GalleryFacts.__dataclass_fields__
        },
    )


def read_facts(client: Any, where: str) -> GalleryFacts:
    """The model that it names.

    Args:
        client: Of Milvus, where the collection is.
        where: Milvus's address, for a person.

    Raises:
        Misconfigured: It names none.
    """
    properties = client.describe_collection(COLLECTION, timeout=READ_S).get("properties", {})
    said = {key.removeprefix(_PREFIX): value for key, value in properties.items()}
    try:
        return GalleryFacts(
            model_name=said["model_name"],
            model_sha256=said["model_sha256"],
            dimension=int(said["dimension"]),
            alignment=said["alignment"],
            default_threshold=float(said["default_threshold"]),
        )
    except (KeyError, ValueError):
        raise Misconfigured(
            f"The Milvus collection {COLLECTION} at {where} does not say which model its "
            "templates are of: it was not made by OpenLFR; use another Milvus database."
        ) from None


def check_lengths(template: StoredTemplate) -> None:
    """Refuse a template with a name that does not fit into its field.

    Raises:
        BadInput: It is too long.
    """
    for name, limit in FIELDS.items():
        value: str = getattr(template, name)
        if len(value.encode()) > limit:
            raise BadInput(f"The {name} {value[:40]!r}... is longer than {limit} bytes.")


def within(field: str, values: Sequence[str]) -> str:
    """A filter: the field has one of these values."""
    return f"{field} in {json.dumps(list(values), ensure_ascii=False)}"


def row_of(template: StoredTemplate) -> dict[str, Any]:
    """A template as the row that is written."""
    row: dict[str, Any] = {name: getattr(template, name) for name in FIELDS}
    row["vector"] = np.ascontiguousarray(template.vector, np.float32)
    return row


def template_of(row: dict[str, Any]) -> StoredTemplate:
    """The template of a row that was read with its vector."""
    vector = np.asarray(row["vector"], np.float32)
    return StoredTemplate(**{name: row[name] for name in FIELDS}, vector=vector)


def hit_of(row: Any) -> Hit:
    """What a search found, without its vector."""
    fields = row["entity"]
    # Lite calls the key by its name, a server "id".
    key = fields.get("reference_id") or row.get("reference_id") or row["id"]
    return Hit(
        key, fields["watchlist"], fields["subject"], fields["template_hash"], row["distance"]
    )
