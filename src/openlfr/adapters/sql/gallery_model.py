"""The model that computed the watchlist's templates; the first import binds the watchlist to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.tables import gallery_facts
from openlfr.domain.templates import GalleryFacts, check_model

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

_FIELDS = tuple(GalleryFacts.__dataclass_fields__)


def bind_model(connection: Connection, facts: GalleryFacts, at: datetime) -> None:
    """Bind the watchlist to a model, unless the watchlist is bound to this model already.

    Raises:
        Misconfigured: The watchlist is bound to another model.
    """
    bound = read_bound_model(connection)
    if bound is not None:
        check_model(bound, facts, "The watchlist")
        return
    values = {name: getattr(facts, name) for name in _FIELDS}
    connection.execute(sa.insert(gallery_facts).values(values | {"first_used_at": at}))


def read_bound_model(connection: Connection) -> GalleryFacts | None:
    """Return the model to which the watchlist is bound; None before the first enrolment."""
    row = connection.execute(sa.select(gallery_facts)).first()
    return None if row is None else GalleryFacts(**{name: getattr(row, name) for name in _FIELDS})
