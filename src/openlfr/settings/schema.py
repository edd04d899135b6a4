"""The whole of CONFIG.yaml as one validated, frozen value."""

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


def _parse_max_age(value: Any) -> timedelta | None:
    return None if value == "off" or value is False else parse_duration(value)


class Settings(Section):
    """All keys of CONFIG.yaml."""

    data_dir: FilePath = Field(
        title="Data folder",
        description="Folder of the records, templates, evidence and the key that encrypts it. Put"
        " the folder on an encrypted disk that only the operator can read.",
    )
    deployment_entry: DeploymentEntry = Field(
        default_factory=DeploymentEntry, alias="deployment", title="Deployment",
        description="The authorisation; it is recorded. No camera is opened until all fields are"
        " complete.",
    )  # fmt: skip
    cameras: dict[Name, Camera] = Field(
        default_factory=dict, title="Cameras", description="Name of each camera and its source."
    )
    ingest: Ingest = Field(
        default_factory=Ingest, title="Ingest",
        description="Distribution of the cameras over the ingest processes of the city-wide mode.",
    )  # fmt: skip
    watchlists: Names = Field(
        default=("default",), min_length=1, title="Watchlists",
        description="Names of the lists to search.",
    )  # fmt: skip
    matching: Matching = Field(
        default_factory=Matching, title="Matching", description="Threshold and index of the search."
    )
    alerting: Alerting = Field(
        default_factory=Alerting, title="Alerting", description="Alerts, verdicts and retention."
    )
    max_age: Annotated[timedelta | None, BeforeValidator(_parse_max_age)] = Field(
        default=timedelta(seconds=2), title="Oldest frame",
        description="An older frame is dropped and counted, so that alerts are not late. 'off'"
        " analyses every frame, however late.",
    )  # fmt: skip
    models: Models = Field(
        default_factory=Models, title="Models", description="The models and their execution."
    )
    services: Services = Field(
        default_factory=Services,
        title="Services",
        description="Servers that replace the embedded servers.",
    )
    topics: Topics = Field(
        default_factory=Topics, title="Topics", description="Settings of Kafka's topics."
    )
    enrolment: Enrolment = Field(
        default_factory=Enrolment,
        title="Enrolment",
        description="Requirements for reference photos and listings.",
    )
    _path: Path = PrivateAttr(default=Path("CONFIG.yaml"))

    @property
    def path(self) -> Path:
        """The configuration file, as the user named it."""
        return self._path

    @property
    def deployment(self) -> Deployment | None:
        """The configured deployment; None if its authorisation is incomplete."""
        deployment = self.deployment_entry.to_deployment()
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
