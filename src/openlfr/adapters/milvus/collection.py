"""The collection of templates in Milvus: its fields, rows and filters, and the templates' model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pymilvus import DataType

from openlfr.adapters.milvus.connection import LOAD_S, READ_S
from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.templates import GalleryFacts, StoredTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

COLLECTION = "openlfr_references"
FIELDS = {"reference_id": 64, "watchlist": 512, "subject": 2048, "template_hash": 64}
"""The text fields of a row, each with its maximum length in bytes."""
_PREFIX = "openlfr."  # prefix of our properties of the collection


class Hit(NamedTuple):
    """A stored template in a search result, without its vector.

    Attributes:
        similarity: Cosine similarity.
    """

    reference_id: str
    watchlist: str
    subject: str
    template_hash: str
    similarity: float


def make_collection(client: Any, facts: GalleryFacts) -> None:
    """Create the collection; its properties contain the model of its templates."""
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    for name, length in FIELDS.items():
        schema.add_field(
            name, DataType.VARCHAR, max_length=length, is_primary=name == "reference_id"
        )
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=facts.dimension)
    index = client.prepare_index_params()
    index.add_index(
        "vector", index_type="FLAT", metric_type="IP"
    )  # the cosine, since vectors are of unit length
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
    """Read the model of the templates from the collection's properties.

    Args:
        client: A client connected to the database of the collection.
        where: Milvus's address, for messages.

    Raises:
        Misconfigured: The collection's properties do not contain a model.
    """
    properties = client.describe_collection(COLLECTION, timeout=READ_S).get("properties", {})
    facts = {key.removeprefix(_PREFIX): value for key, value in properties.items()}
    try:
        return GalleryFacts(
            model_name=facts["model_name"],
            model_sha256=facts["model_sha256"],
            dimension=int(facts["dimension"]),
            alignment=facts["alignment"],
            default_threshold=float(facts["default_threshold"]),
        )
    except (KeyError, ValueError):
        raise Misconfigured(
            f"The Milvus collection {COLLECTION} at {where} does not contain the model of its "
            "templates, so OpenLFR did not create it: use another Milvus database."
        ) from None


def check_lengths(template: StoredTemplate) -> None:
    """Check that every text of a template fits into its field.

    Raises:
        BadInput: A text is too long.
    """
    for name, limit in FIELDS.items():
        value: str = getattr(template, name)
        if len(value.encode()) > limit:
            raise BadInput(f"The {name} {value[:40]!r}... is longer than {limit} bytes.")


def one_of(field: str, values: Sequence[str]) -> str:
    """Return the filter expression for rows whose field has one of these values."""
    return f"{field} in {json.dumps(list(values), ensure_ascii=False)}"


def to_row(template: StoredTemplate) -> dict[str, Any]:
    """Return the row of a template."""
    row: dict[str, Any] = {name: getattr(template, name) for name in FIELDS}
    row["vector"] = np.ascontiguousarray(template.vector, np.float32)
    return row


def to_template(row: dict[str, Any]) -> StoredTemplate:
    """Return the template of a row, which must include its vector."""
    vector = np.asarray(row["vector"], np.float32)
    return StoredTemplate(**{name: row[name] for name in FIELDS}, vector=vector)


def to_hit(row: Any) -> Hit:
    """Return the hit of a row of a search result."""
    fields = row["entity"]
    # The key's field is "reference_id" in Milvus Lite and "id" on a server.
    key = fields.get("reference_id") or row.get("reference_id") or row["id"]
    return Hit(
        key, fields["watchlist"], fields["subject"], fields["template_hash"], row["distance"]
    )
