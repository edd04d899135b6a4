"""Which models a process compares faces with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """A model that worked in a run.

    Attributes:
        role: detector or embedder.
        sha256: Of the file as shipped.
        prepared_sha256: Of the graph that is loaded, which is made of it.
    """

    role: str
    name: str
    sha256: str
    licence: str = ""
    prepared_sha256: str = ""
