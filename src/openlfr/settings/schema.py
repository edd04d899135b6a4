"""The whole of CONFIG.yaml as one checked and frozen value."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr

from openlfr.domain.impossible import Movement, Place
from openlfr.settings.cameras import Camera, Ingest
from openlfr.settings.decisions import Alerting, Enrolment, Matching
from openlfr.settings.deployment import DeploymentEntry
from openlfr.settings.machinery import Models, Services
from openlfr.settings.topics import Topics
from openlfr.settings.values import FilePath, Name, Names, Section, parse_duration

if TYPE_CHECKING:
    from openlfr.domain.deployment import Deployment


def _max_age(value: Any) -> timedelta | None:
    return None if value == "off" or value is False else parse_duration(value)


class Settings(Section):
    """All keys of CONFIG.yaml."""

    data_dir: FilePath = Field(
        title="Data folder",
        description="Records, templates, evidence and the key that encrypts it; keep it on an"
        " encrypted disk that only the operator can read.",
    )
    deployment_entry: DeploymentEntry = Field(
        default_factory=DeploymentEntry, alias="deployment", title="Deployment",
        description="The recorded authorisation. No camera opens before every field is given.",
    )  # fmt: skip
    cameras: dict[Name, Camera] = Field(
        default_factory=dict, title="Cameras", description="Name of each camera and its source."
    )
    ingest: Ingest = Field(
        default_factory=Ingest, title="Ingest",
        description="How the ingest processes of the city-wide mode share the cameras.",
    )  # fmt: skip
    watchlists: Names = Field(
        default=("default",), min_length=1, title="Watchlists",
        description="Names of the lists that are searched.",
    )  # fmt: skip
    matching: Matching = Field(
        default_factory=Matching, title="Matching", description="The score that makes a match."
    )
    alerting: Alerting = Field(
        default_factory=Alerting, title="Alerting", description="How sightings become alerts."
    )
    max_age: Annotated[timedelta | None, BeforeValidator(_max_age)] = Field(
        default=timedelta(seconds=2), title="Oldest frame",
        description="A frame that has waited longer is dropped and counted, so that alerts come"
        " in time; with 'off' every frame is analysed, however late.",
    )  # fmt: skip
    models: Models = Field(
        default_factory=Models, title="Models", description="Which models, and how they run."
    )
    services: Services = Field(
        default_factory=Services,
        title="Services",
        description="Servers to use instead of embedded ones.",
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
        """The configuration file, as the user named it."""
        return self._path

    @property
    def deployment(self) -> Deployment | None:
        """The deployment; None while its authorisation is incomplete."""
        deployment = self.deployment_entry.complete()
        if deployment is None:
            return None
        return replace(
            deployment, cameras=tuple(sorted(self.cameras)), watchlists=tuple(self.watchlists)
        )

    @property
    def movement(self) -> Movement:
        """Positions of the cameras, and the highest plausible speed between two of them."""
        return Movement(
            places={name: Place(*c.position) for name, c in self.cameras.items() if c.position},
            max_speed_m_s=self.alerting.fastest_km_h / 3.6,
        )
