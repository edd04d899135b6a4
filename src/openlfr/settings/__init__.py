"""The configuration file, read once, checked whole, then frozen.

`load()` reads it; `require_authorisation()` is what `run` asks before a camera opens.
A file per block: `cameras`, `deployment`, `decisions` (matching, alerting, enrolment) and
`machinery` (models, services), `servers` (how each is reached), `topics` (Kafka's). `variables`
says which environment variables take a key's place, `values` what a duration or a moment looks
like; `yaml_lines` keeps the line numbers and `problems` makes sentences of what is wrong.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from openlfr.domain.errors import Misconfigured
from openlfr.domain.impossible import Movement, Place
from openlfr.domain.text import one_line
from openlfr.settings.cameras import Camera, Ingest
from openlfr.settings.decisions import Alerting, Enrolment, Matching
from openlfr.settings.deployment import DeploymentEntry, require_authorisation
from openlfr.settings.machinery import Models, Services
from openlfr.settings.problems import sentences
from openlfr.settings.topics import Topics
from openlfr.settings.values import FilePath, Name, Names, Section, parse_duration
from openlfr.settings.variables import take_variables
from openlfr.settings.yaml_lines import DuplicateKeys, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.deployment import Deployment

__all__ = [
    "Alerting",
    "Camera",
    "DeploymentEntry",
    "Enrolment",
    "Ingest",
    "Matching",
    "Models",
    "Services",
    "Settings",
    "Topics",
    "load",
    "require_authorisation",
]


def _max_age(value: Any) -> timedelta | None:
    return None if value == "off" or value is False else parse_duration(value)


class Settings(Section):
    """Everything that CONFIG.yaml says."""

    data_dir: FilePath = Field(
        title="Data folder",
        description="Records, templates, evidence and the key that encrypts it; keep it on an"
        " encrypted disk that only the operator can read.",
    )
    deployment_entry: DeploymentEntry = Field(
        default_factory=DeploymentEntry, alias="deployment", title="Deployment",
        description="The recorded authorisation. Every field is needed before a camera opens.",
    )  # fmt: skip
    cameras: dict[Name, Camera] = Field(
        default_factory=dict, title="Cameras", description="Name of each camera and its source."
    )
    ingest: Ingest = Field(
        default_factory=Ingest, title="Ingest",
        description="How the processes of the city-wide mode share the cameras.",
    )  # fmt: skip
    watchlists: Names = Field(
        default=("default",), min_length=1, title="Watchlists",
        description="Names of the lists that are searched.",
    )  # fmt: skip
    matching: Matching = Field(
        default_factory=Matching, title="Matching", description="From which score there is a match."
    )
    alerting: Alerting = Field(
        default_factory=Alerting, title="Alerting", description="How sightings become alerts."
    )
    max_age: Annotated[timedelta | None, BeforeValidator(_max_age)] = Field(
        default=timedelta(seconds=2), title="Oldest frame",
        description="A frame that has waited longer is dropped and counted, so that alerts stay"
        " in time; 'off' looks at every frame however late.",
    )  # fmt: skip
    models: Models = Field(
        default_factory=Models, title="Models", description="Which models, and how they run."
    )
    services: Services = Field(
        default_factory=Services, title="Services", description="Servers in place of embedded ones."
    )
    topics: Topics = Field(
        default_factory=Topics, title="Topics", description="How Kafka keeps the topics."
    )
    enrolment: Enrolment = Field(
        default_factory=Enrolment, title="Enrolment", description="Which photos may be enrolled."
    )
    _path: Path = PrivateAttr(default=Path("CONFIG.yaml"))

    @property
    def path(self) -> Path:
        """The file it was read from, as the user named it."""
        return self._path

    @property
    def deployment(self) -> Deployment | None:
        """The deployment; None while its authorisation is incomplete."""
        found = self.deployment_entry.complete()
        if found is None:
            return None
        return replace(
            found, cameras=tuple(sorted(self.cameras)), watchlists=tuple(self.watchlists)
        )

    @property
    def movement(self) -> Movement:
        """Where the cameras are and how fast people may be between them."""
        return Movement(
            places={name: Place(*c.position) for name, c in self.cameras.items() if c.position},
            fastest=self.alerting.fastest_km_h / 3.6,
        )


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration.

    Paths in it are relative to its folder; a time without an offset is UTC. An absent or
    incomplete authorisation is not an error here: `require_authorisation()` refuses it.

    Args:
        path: The file.
        environment: What may take the place of its keys (`variables`); the process's own by
            default.

    Raises:
        Misconfigured: With one line for each problem, naming the file's line and the key, or the
            environment variable.
    """
    if "\n" in str(path):
        raise Misconfigured(f"{one_line(str(path))}: its name holds a line break; rename it")
    try:
        values, lines = read_yaml(path)
    except DuplicateKeys as error:
        raise _misconfigured(path, error.problems) from None
    if not isinstance(values, dict):
        raise Misconfigured(f"{path} line 1: a configuration is a list of `key: value` lines")
    values, variables = take_variables(values, os.environ if environment is None else environment)
    context = {"folder": path.absolute().parent}
    try:
        settings = Settings.model_validate(values, context=context)
    except ValidationError as error:
        raise _misconfigured(path, sentences(error, Settings, lines, variables)) from None
    settings._path = path  # noqa: SLF001 - a private attribute of the class itself
    return settings


def _misconfigured(path: Path, problems: list[tuple[int, str]]) -> Misconfigured:
    return Misconfigured(
        "\n".join(f"{path} line {line}: {what}" if line else what for line, what in problems)
    )
