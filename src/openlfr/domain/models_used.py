"""The models that a process uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """A model that a run used.

    Attributes:
        role: detector or embedder.
        sha256: Hash (hex) of the shipped file.
        prepared_sha256: Hash (hex) of the loaded graph, which is prepared from the file.
    """

    role: str
    name: str
    sha256: str
    licence: str = ""
    prepared_sha256: str = ""
